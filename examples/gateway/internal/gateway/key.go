package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/distkit/distkit/ratelimit/httplimit"
)

// maxForm bounds the body of a request that is counted by one of its fields.
const maxForm = 64 << 10

// keyFunc returns what requests are counted by:
//
//	ip            the client's address, of IPv6 its /64
//	header:NAME   the value of a header
//	cookie:NAME   the value of a cookie
//	form:FIELD    a field of an urlencoded body, in lower case and without space around
//	json:FIELD    the same of a JSON object, a string
//	all           nothing: all requests together
//
// and several of them together by plus signs, as in ip+form:user. A request without
// what it is counted by is answered with 400.
func keyFunc(per string, trust []netip.Prefix) (httplimit.KeyFunc, error) {
	var keys []httplimit.KeyFunc
	for part := range strings.SplitSeq(per, "+") {
		kind, name, named := strings.Cut(part, ":")
		if needs := kind != "ip" && kind != "all"; named != needs || named && name == "" {
			return nil, badKey(per)
		}
		switch kind {
		case "ip":
			keys = append(keys, httplimit.KeyByIP(trust...))
		case "header":
			keys = append(keys, httplimit.KeyByHeader(name))
		case "cookie":
			keys = append(keys, httplimit.KeyByCookie(name))
		case "form":
			keys = append(keys, keyByField(name, "application/x-www-form-urlencoded", formField))
		case "json":
			keys = append(keys, keyByField(name, "application/json", jsonField))
		case "all":
			keys = append(keys, func(*http.Request) (string, error) { return "", nil })
		default:
			return nil, badKey(per)
		}
	}
	if len(keys) == 1 {
		return keys[0], nil
	}
	return httplimit.Join(keys...), nil
}

func badKey(per string) error {
	return fmt.Errorf("per is %q, want ip, header:NAME, cookie:NAME, form:FIELD, json:FIELD or all, or several by +", per)
}

// keyByField counts by a field of the body, which it leaves as it was. An account is
// one account however its name is written, so case and space do not count.
func keyByField(name, mediaType string, field func(body []byte, name string) (string, error)) httplimit.KeyFunc {
	return func(r *http.Request) (string, error) {
		got, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		if !strings.EqualFold(strings.TrimSpace(got), mediaType) {
			return "", fmt.Errorf("content type is %q, want %s", got, mediaType)
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
		if err != nil {
			return "", fmt.Errorf("body cannot be read: %w", err)
		}
		if len(body) > maxForm {
			return "", fmt.Errorf("body is more than %d bytes", maxForm)
		}
		r.Body = struct {
			io.Reader
			io.Closer
		}{bytes.NewReader(body), r.Body}
		value, err := field(body, name)
		if err != nil {
			return "", err
		}
		if value = strings.ToLower(strings.TrimSpace(value)); value == "" {
			return "", fmt.Errorf("field %s is missing", name)
		}
		return value, nil
	}
}

func formField(body []byte, name string) (string, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return "", errors.New("body is no form")
	}
	if len(values[name]) != 1 { // backends differ in which of several they take
		return "", fmt.Errorf("field %s has %d values, want 1", name, len(values[name]))
	}
	return values[name][0], nil
}

// jsonField walks through the object, because of a field that is there twice a map
// has the last one, and a backend may take the first.
func jsonField(body []byte, name string) (value string, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return "", errors.New("body is no JSON object")
	}
	found := 0
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return "", errors.New("body is no JSON object")
		}
		var field any
		if err := d.Decode(&field); err != nil {
			return "", errors.New("body is no JSON object")
		}
		if strings.EqualFold(key.(string), name) { // as encoding/json takes it
			found++
			value, _ = field.(string)
		}
	}
	if found > 1 {
		return "", fmt.Errorf("field %s has %d values, want 1", name, found)
	}
	return value, nil
}
