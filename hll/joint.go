package hll

import "math"

// joint is the likelihood of pairs of registers as a function of how many keys are
// in the first set alone, in the second alone, and in both. Registers are taken
// for independent Poisson processes, so with X = n/(m 2^k) the probability that a
// register is at most k after n keys is exp(-X).
type joint struct {
	terms  []jointTerm
	linear [3]float64 // by how much a key more makes the pairs less likely
}

// jointTerm is what pairs with a register of value k say.
type jointTerm struct {
	unit                             float64 // 1/(m 2^k)
	aLess, aMore, bLess, bMore, same float64
}

func newJoint(c *pairs, p uint8) *joint {
	q := int(64 - p)
	j := joint{terms: make([]jointTerm, 0, q)}
	for k := range q + 1 {
		t := jointTerm{
			unit:  math.Ldexp(1, -int(p)-k),
			aLess: float64(c.aLess[k]), aMore: float64(c.aMore[k]),
			bLess: float64(c.bLess[k]), bMore: float64(c.bMore[k]), same: float64(c.same[k]),
		}
		j.linear[0] += (t.aLess + t.aMore + t.same) * t.unit
		j.linear[1] += (t.bLess + t.bMore + t.same) * t.unit
		j.linear[2] += (t.aLess + t.bLess + t.same) * t.unit
		if k == q { // registers that are full are at least q
			t.aMore += float64(c.aMore[q+1])
			t.bMore += float64(c.bMore[q+1])
			t.same += float64(c.same[q+1])
		}
		if k > 0 && t.aLess+t.aMore+t.bLess+t.bMore+t.same > 0 {
			j.terms = append(j.terms, t)
		}
	}
	return &j
}

// at returns minus the logarithm of the likelihood of exp(phi) keys, and its
// gradient by phi.
func (j *joint) at(phi [3]float64) (value float64, gradient [3]float64) {
	var n [3]float64
	for i := range n {
		n[i] = math.Exp(phi[i])
		value += j.linear[i] * n[i]
		gradient[i] = j.linear[i] * n[i]
	}
	for i := range j.terms {
		t := &j.terms[i]
		x := [3]float64{n[0] * t.unit, n[1] * t.unit, n[2] * t.unit}
		l, g := t.at(x)
		value -= l
		for i := range g {
			gradient[i] -= g[i] * x[i]
		}
	}
	return value, gradient
}

// at returns the term's part of the logarithm, and its derivatives by x.
func (t *jointTerm) at(x [3]float64) (l float64, d [3]float64) {
	add := func(n, x float64) float64 { // n registers that became k by a process of mean x
		zero := -math.Expm1(-x)
		l += n * math.Log(zero)
		return n * (1 - zero) / zero
	}
	if t.aLess > 0 {
		by := add(t.aLess, x[0]+x[2])
		d[0], d[2] = d[0]+by, d[2]+by
	}
	if t.bLess > 0 {
		by := add(t.bLess, x[1]+x[2])
		d[1], d[2] = d[1]+by, d[2]+by
	}
	if t.aMore > 0 {
		d[0] += add(t.aMore, x[0])
	}
	if t.bMore > 0 {
		d[1] += add(t.bMore, x[1])
	}
	if t.same > 0 { // by a key of both, or by one of each
		za, zb, zx := -math.Expm1(-x[0]), -math.Expm1(-x[1]), -math.Expm1(-x[2])
		f := zx + (1-zx)*za*zb
		l += t.same * math.Log(f)
		by := t.same * (1 - zx) / f
		d[0] += by * (1 - za) * zb
		d[1] += by * (1 - zb) * za
		d[2] += by * (1 - za*zb)
	}
	return l, d
}

const (
	// jointGain is the gain in likelihood, as a logarithm, at which the search ends:
	// it moves the result by less than a thousandth of its standard error.
	jointGain = 1e-7
	// jointRounds bounds the search; 10 to 20 rounds are usual.
	jointRounds = 100
	// jointStep bounds a step of phi, so that no number grows by more than e^2.
	jointStep = 2
)

// maximize returns the most likely numbers of keys, searched from n on. It is the
// quasi-Newton method of Broyden, Fletcher, Goldfarb and Shanno, in logarithms. What
// m registers say of a number has a curvature of about m, which is the scale to
// begin with. A number that is most likely 0 shrinks until it does not matter.
func (j *joint) maximize(n [3]float64) [3]float64 {
	var phi [3]float64
	for i := range n {
		phi[i] = math.Log(n[i])
	}
	value, g := j.at(phi)
	h := newInverse(j.scale())
	for range jointRounds {
		step := h.times(g)
		largest := 0.0
		for i := range step {
			step[i] = -step[i]
			largest = max(largest, math.Abs(step[i]))
		}
		slope := dot(g, step)
		if !(slope < -jointGain) {
			break
		}
		t := min(1, jointStep/largest)
		next, nextG, ok := [3]float64{}, g, false
		for ; t > 1e-9; t /= 2 {
			var v float64
			for i := range next {
				next[i] = phi[i] + t*step[i]
			}
			if v, nextG = j.at(next); v <= value+1e-4*t*slope {
				value, ok = v, true
				break
			}
		}
		if !ok {
			break
		}
		h.update(sub(next, phi), sub(nextG, g))
		phi, g = next, nextG
	}
	for i := range n {
		n[i] = math.Exp(phi[i])
	}
	return n
}

// scale returns how many registers, of both sketches, are not zero: about what the
// curvature is.
func (j *joint) scale() (n float64) {
	for _, t := range j.terms {
		n += t.aLess + t.aMore + t.bLess + t.bMore + t.same
	}
	return max(n, 1)
}

// inverse approximates the inverse of the matrix of second derivatives.
type inverse [3][3]float64

func newInverse(curvature float64) (h inverse) {
	for i := range h {
		h[i][i] = 1 / curvature
	}
	return h
}

func (h *inverse) times(v [3]float64) (w [3]float64) {
	for i := range h {
		w[i] = dot(h[i], v)
	}
	return w
}

// update takes in that the gradient changed by y over a step s.
func (h *inverse) update(s, y [3]float64) {
	sy := dot(s, y)
	if !(sy > 1e-12*math.Sqrt(dot(s, s)*dot(y, y))) {
		return // no curvature to learn from
	}
	hy := h.times(y)
	c := (1 + dot(y, hy)/sy) / sy
	for i := range h {
		for j := range h {
			h[i][j] += c*s[i]*s[j] - (hy[i]*s[j]+s[i]*hy[j])/sy
		}
	}
}

func dot(a, b [3]float64) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

func sub(a, b [3]float64) [3]float64 { return [3]float64{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }
