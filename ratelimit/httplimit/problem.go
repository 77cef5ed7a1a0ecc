package httplimit

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

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

func writeProblem(w http.ResponseWriter, status int, p problem) {
	p.Status = status
	body, err := json.Marshal(p)
	if err != nil { // of strings and a number
		body = []byte("{}")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}

// refuse answers 429.
func (p *policy) refuse(w http.ResponseWriter, r *http.Request, result ratelimit.Result) {
	p.headers(w.Header(), result)
	if result.RetryAfter != ratelimit.InfDuration { // else there is no use in trying again
		w.Header().Set("Retry-After", strconv.FormatInt(max(1, seconds(result.RetryAfter)), 10))
	}
	if p.onDeny != nil {
		p.onDeny.ServeHTTP(w, with(r, result))
		return
	}
	name := p.names[min(max(result.Index, 0), len(p.names)-1)]
	writeProblem(w, http.StatusTooManyRequests, problem{
		Type: problemTypes + "quota-exceeded", Title: "Request cannot be satisfied as assigned quota has been exceeded",
		Violated: []string{unquote(name)},
	})
}

// unquote undoes quote.
func unquote(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(s[1 : len(s)-1])
}

// unavailable answers 503: the client did nothing wrong.
func (p *policy) unavailable(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "1")
	if p.onDeny != nil {
		p.onDeny.ServeHTTP(w, r)
		return
	}
	writeProblem(w, http.StatusServiceUnavailable, problem{
		Type: problemTypes + "temporary-reduced-capacity", Title: "Request cannot be satisfied due to temporary server capacity constraints",
	})
}
