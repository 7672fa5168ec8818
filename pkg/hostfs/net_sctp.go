package hostfs

import (
	"bytes"
	"net/netip"
)

// ParseSCTPEndpoint parses a line of /proc/PID/net/sctp/eps (net/sctp/proc.c):
//
//	ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS
//	ffff8800… ffff…  2   10  29   36412     0 40231 10.0.0.5 fd00::5
//
// SST is the socket's state in the numbers of TCP. ok is false for the heading
// and for a line of another form.
func ParseSCTPEndpoint(line []byte) (s InetSocket, ok bool) {
	var f [8][]byte
	rest, ok := firstFields(line, f[:])
	if !ok || !s.sctp(f[3], f[7]) {
		return s, false
	}
	s.Local, ok = sctpAddr(rest, f[5])
	return s, ok
}

// ParseSCTPAssociation parses a line of /proc/PID/net/sctp/assocs:
//
//	ASSOC     SOCK   STY SST ST HBKT ASSOC-ID TX_QUEUE RX_QUEUE UID INODE LPORT RPORT LADDRS <-> RADDRS HBINT …
//	ffff8800… ffff…  2   1   3  0    14       0        0        0   40231 36412 3868  *10.0.0.5 <-> *10.0.0.9 7500 …
//
// '*' marks the primary path. A one-to-many socket (STY 0) has many and is
// known by its endpoint: ok is false for it.
func ParseSCTPAssociation(line []byte) (s InetSocket, ok bool) {
	var f [13][]byte
	rest, ok := firstFields(line, f[:])
	if !ok || string(f[2]) != "2" || !s.sctp(f[3], f[10]) {
		return s, false
	}
	local, remote, ok := bytes.Cut(rest, []byte("<->"))
	if !ok {
		return s, false
	}
	if s.Local, ok = sctpAddr(local, f[11]); !ok {
		return s, false
	}
	s.Remote, ok = sctpAddr(remote, f[12])
	return s, ok
}

func (s *InetSocket) sctp(state, inode []byte) (ok bool) {
	st, ok := decimal32(state)
	if !ok || st > 0xff {
		return false
	}
	s.State = byte(st)
	s.Inode, ok = decimal32(inode)
	return ok && s.Inode != 0
}

// sctpAddr takes the primary of several addresses, else the first.
func sctpAddr(addrs, port []byte) (a InetAddr, ok bool) {
	p, ok := decimal32(port)
	if !ok || p > 0xffff {
		return a, false
	}
	a.Port = uint16(p)
	var first [1][]byte
	if i := bytes.IndexByte(addrs, '*'); i >= 0 {
		addrs = addrs[i+1:]
	}
	if _, ok = firstFields(addrs, first[:]); !ok {
		return a, false
	}
	ip, err := netip.ParseAddr(string(first[0]))
	if err != nil {
		return a, false
	}
	a.IP = ip.As16()
	return a, true
}
