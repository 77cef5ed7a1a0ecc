package httplimit

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/distkit/distkit/ratelimit"
)

// problem is the body of an answer that refuses (RFC 9457).
type problem struct {
	Type     string   `json:"type"`
	Title    string   `json:"title"`
	Status   int      `json:"status"`
	Detail   string   `json:"detail,omitempty"`
	Violated []string `json:"violated-policies,omitempty"`
}

const problemTypes = "https://iana.org/assignments/http-problem-types#"

// body returns the JSON of p.
func (p problem) body() []byte {
	body, err := json.Marshal(p)
	if err != nil { // of strings and a number
		body = []byte("{}")
	}
	return append(body, '\n')
}

// answers are the bodies of what refuses, made once: to refuse must be cheap.
type answers struct {
	quota [][]byte // 429, by the limit that binds
	busy  []byte   // 503
}

func newAnswers(names []string) answers {
	a := answers{busy: problem{
		Type: problemTypes + "temporary-reduced-capacity", Status: http.StatusServiceUnavailable,
		Title: "Request cannot be satisfied due to temporary server capacity constraints",
	}.body()}
	for _, name := range names {
		a.quota = append(a.quota, problem{
			Type: problemTypes + "quota-exceeded", Status: http.StatusTooManyRequests,
			Title:    "Request cannot be satisfied as assigned quota has been exceeded",
			Violated: []string{name},
		}.body())
	}
	return a
}

func writeProblem(w http.ResponseWriter, status int, body []byte) {
	h, values := w.Header(), new([2]string) // both in one allocation
	values[0], values[1] = "application/problem+json", "no-store"
	h["Content-Type"], h["Cache-Control"] = values[:1:1], values[1:2:2]
	w.WriteHeader(status)
	w.Write(body)
}

// badRequest answers 400: what a request counts for, or how much, cannot be told.
func badRequest(w http.ResponseWriter, err error) {
	p := problem{Type: "about:blank", Title: "Bad Request", Status: http.StatusBadRequest, Detail: err.Error()}
	writeProblem(w, p.Status, p.body())
}

// refuse answers 429.
func (p *policy) refuse(w http.ResponseWriter, r *http.Request, result ratelimit.Result) {
	p.headers(w.Header(), result, new([2]string))
	if result.RetryAfter != ratelimit.InfDuration { // else there is no use in trying again
		w.Header().Set("Retry-After", strconv.FormatInt(max(1, seconds(result.RetryAfter)), 10))
	}
	if p.onDeny != nil {
		p.onDeny.ServeHTTP(w, r.WithContext(&resultContext{Context: r.Context(), result: result}))
		return
	}
	writeProblem(w, http.StatusTooManyRequests, p.answers.quota[p.nameOf(result)])
}

// unavailable answers 503: the client did nothing wrong.
func (p *policy) unavailable(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "1")
	if p.onDeny != nil {
		p.onDeny.ServeHTTP(w, r)
		return
	}
	writeProblem(w, http.StatusServiceUnavailable, p.answers.busy)
}
