package expr

import "math"

// simplex is a dense revised simplex method for minimizing cost·x with
// A·x = b, x ≥ 0, whose columns may be added while it runs. It keeps the inverse
// of the basis and computes it anew every so often.
type simplex struct {
	b     []float64
	cols  []column
	basis []int // column of each row
	in    []bool
	inv   [][]float64
	x     []float64 // of the basis
	dual  []float64
	age   int // pivots since inv was computed
	stall int // pivots without progress
}

// column is a variable.
type column struct {
	cost float64
	row  []int
	val  []float64
}

const (
	tiny         = 1e-11
	refactorEach = 100
	stallLimit   = 50
)

func (s *simplex) add(c column) int {
	s.cols = append(s.cols, c)
	s.in = append(s.in, false)
	return len(s.cols) - 1
}

// start takes a basis that is feasible.
func (s *simplex) start(basis []int) bool {
	s.basis = basis
	clear(s.in)
	for _, j := range basis {
		s.in[j] = true
	}
	return s.factor()
}

// factor computes the inverse of the basis, by Gauss and Jordan with the
// largest pivot.
func (s *simplex) factor() bool {
	m := len(s.b)
	a := make([][]float64, m) // the basis beside the unit matrix
	for i := range a {
		a[i] = make([]float64, 2*m)
		a[i][m+i] = 1
	}
	for k, j := range s.basis {
		for i, row := range s.cols[j].row {
			a[row][k] = s.cols[j].val[i]
		}
	}
	for k := range m {
		p := k
		for i := k + 1; i < m; i++ {
			if math.Abs(a[i][k]) > math.Abs(a[p][k]) {
				p = i
			}
		}
		if math.Abs(a[p][k]) < tiny {
			return false
		}
		a[k], a[p] = a[p], a[k]
		scale := 1 / a[k][k]
		for j := k; j < 2*m; j++ {
			a[k][j] *= scale
		}
		for i := range m {
			if f := a[i][k]; i != k && f != 0 {
				for j := k; j < 2*m; j++ {
					a[i][j] -= f * a[k][j]
				}
			}
		}
	}
	s.inv, s.x, s.age = make([][]float64, m), make([]float64, m), 0
	for i := range m {
		s.inv[i] = a[i][m:]
		for j, b := range s.b {
			s.x[i] += s.inv[i][j] * b
		}
		s.x[i] = max(s.x[i], 0)
	}
	s.price()
	return true
}

// price computes the duals.
func (s *simplex) price() {
	s.dual = make([]float64, len(s.b))
	for i, j := range s.basis {
		if c := s.cols[j].cost; c != 0 {
			for k := range s.dual {
				s.dual[k] += c * s.inv[i][k]
			}
		}
	}
}

// reduced is what a unit of column j changes the cost by.
func (s *simplex) reduced(j int) float64 {
	c := s.cols[j]
	r := c.cost
	for i, row := range c.row {
		r -= s.dual[row] * c.val[i]
	}
	return r
}

// improve pivots until no column that is there makes it cheaper, and reports
// whether it came to an end.
func (s *simplex) improve() bool {
	for range 100 * (len(s.cols) + len(s.b)) {
		best, enter := -tiny, -1
		for j := range s.cols {
			if s.in[j] {
				continue
			}
			if r := s.reduced(j); r < best {
				best, enter = r, j
				if s.stall > stallLimit { // the first one: Bland's rule cannot cycle
					break
				}
			}
		}
		if enter < 0 {
			return true
		}
		if !s.pivot(enter) {
			return false
		}
	}
	return false
}

// pivot brings column j into the basis.
func (s *simplex) pivot(j int) bool {
	m := len(s.b)
	d := make([]float64, m)
	for i := range d {
		for k, row := range s.cols[j].row {
			d[i] += s.inv[i][row] * s.cols[j].val[k]
		}
	}
	leave, step := -1, math.Inf(1)
	for i := range d {
		if d[i] <= 1e-9 {
			continue
		}
		ratio := s.x[i] / d[i]
		if ratio < step-tiny || ratio < step+tiny && (leave < 0 || s.basis[i] < s.basis[leave]) {
			leave, step = i, min(ratio, step)
		}
	}
	if leave < 0 {
		return false
	}
	if s.stall++; step > tiny {
		s.stall = 0
	}
	scale := 1 / d[leave]
	for k := range m {
		s.inv[leave][k] *= scale
	}
	for i := range m {
		if i == leave || d[i] == 0 {
			continue
		}
		s.x[i] = max(s.x[i]-d[i]*step, 0)
		for k := range m {
			s.inv[i][k] -= d[i] * s.inv[leave][k]
		}
	}
	s.x[leave] = step
	s.in[s.basis[leave]], s.in[j] = false, true
	s.basis[leave] = j
	if s.age++; s.age >= refactorEach {
		return s.factor()
	}
	s.price()
	return true
}
