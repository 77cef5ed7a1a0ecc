package httplimit

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// KeyFunc returns the key that a request counts for. An error is answered with
// 400, whatever the failure policy, with the error's text as the detail.
type KeyFunc func(*http.Request) (string, error)

// KeyByIP counts by the client's address: IPv4 whole, IPv6 by its /64, which is
// what one client has. A request that comes from a trusted proxy counts for the
// rightmost address in X-Forwarded-For that is none: what stands left of it the
// client may have made up.
func KeyByIP(trusted ...netip.Prefix) KeyFunc {
	trusted = slices.Clone(trusted)
	return func(r *http.Request) (string, error) {
		if host, _, _ := strings.Cut(r.RemoteAddr, ":"); len(trusted) == 0 && !strings.HasPrefix(host, "[") {
			// The usual case. An IPv4 address has one text, which need not be made again.
			if addr, err := netip.ParseAddr(host); err == nil && addr.Is4() {
				return host, nil
			}
		}
		addr, err := parseAddr(r.RemoteAddr)
		if err != nil {
			return "", fmt.Errorf("httplimit: remote address is %q, want an IP address", r.RemoteAddr)
		}
		if isTrusted(addr, trusted) {
			if addr, err = forwarded(addr, r.Header["X-Forwarded-For"], trusted); err != nil {
				return "", err
			}
		}
		if addr.Is6() {
			prefix, err := addr.Prefix(64)
			if err != nil {
				return "", err
			}
			addr = prefix.Addr()
		}
		return addr.String(), nil
	}
}

// forwarded walks from the nearest proxy towards the client.
func forwarded(addr netip.Addr, values []string, trusted []netip.Prefix) (netip.Addr, error) {
	for _, value := range slices.Backward(values) {
		for value != "" {
			i := strings.LastIndexByte(value, ',')
			element := strings.TrimSpace(value[i+1:])
			value = value[:max(i, 0)]
			next, err := parseAddr(element)
			if err != nil {
				return addr, errors.New("httplimit: X-Forwarded-For of a trusted proxy holds no IP address")
			}
			addr = next
			if !isTrusted(addr, trusted) {
				return addr, nil
			}
		}
	}
	return addr, nil
}

// parseAddr takes an address with or without a port, unmaps IPv4 in IPv6 and drops
// the zone, which is of one link.
func parseAddr(s string) (netip.Addr, error) {
	inBrackets := strings.HasPrefix(s, "[")
	if inBrackets && !strings.HasSuffix(s, "]") || !inBrackets && strings.Count(s, ":") == 1 {
		withPort, err := netip.ParseAddrPort(s)
		return withPort.Addr().Unmap().WithZone(""), err
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return addr.Unmap().WithZone(""), err
}

func isTrusted(addr netip.Addr, trusted []netip.Prefix) bool {
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// KeyByHeader counts by the value of a header, such as an API key. A request
// without it, or with several, is answered with 400. Whoever may choose the value
// freely chooses a fresh bucket with each: check it first.
func KeyByHeader(name string) KeyFunc {
	name = http.CanonicalHeaderKey(name)
	return func(r *http.Request) (string, error) {
		values := r.Header[name]
		if len(values) != 1 || values[0] == "" {
			return "", fmt.Errorf("httplimit: header %s has %d values, want one that is not empty", name, len(values))
		}
		return values[0], nil
	}
}

// KeyByCookie counts by the value of a cookie, as KeyByHeader does by a header's.
func KeyByCookie(name string) KeyFunc {
	return func(r *http.Request) (string, error) {
		cookies := r.CookiesNamed(name)
		if len(cookies) != 1 || cookies[0].Value == "" {
			return "", fmt.Errorf("httplimit: cookie %s has %d values, want one that is not empty", name, len(cookies))
		}
		return cookies[0].Value, nil
	}
}

// Join counts by several keys together: an address and an account. Different
// lists of keys have different joined keys, for lengths are part of them.
func Join(keys ...KeyFunc) KeyFunc {
	keys = slices.Clone(keys)
	return func(r *http.Request) (string, error) {
		var b []byte
		for _, key := range keys {
			k, err := key(r)
			if err != nil {
				return "", err
			}
			b = strconv.AppendInt(b, int64(len(k)), 10)
			b = append(append(b, ':'), k...)
		}
		return string(b), nil
	}
}
