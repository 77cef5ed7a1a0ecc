package main

import (
	"errors"
	"fmt"
	"net/netip"
)

// meta is what every node tells of itself with each sign of life: its zone, and
// where it serves HTTP. It travels in memberlist's packets, hence in few bytes:
//
//	1   length of the zone
//	..  zone
//	..  address and port, as netip.AddrPort encodes them: 6 bytes, or 18 and more
type meta struct {
	zone string
	http netip.AddrPort
}

var errMeta = errors.New("metadata is malformed")

func (m meta) encode() ([]byte, error) {
	if len(m.zone) > 255 {
		return nil, fmt.Errorf("zone has %d bytes, want at most 255", len(m.zone))
	}
	b := append([]byte{byte(len(m.zone))}, m.zone...)
	return m.http.AppendBinary(b)
}

func decodeMeta(b []byte) (m meta, err error) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return m, errMeta
	}
	zone, addr := b[1:1+int(b[0])], b[1+int(b[0]):]
	m.zone = string(zone)
	if err := m.http.UnmarshalBinary(addr); err != nil || !m.http.IsValid() || m.http.Port() == 0 {
		return meta{}, errMeta
	}
	return m, nil
}
