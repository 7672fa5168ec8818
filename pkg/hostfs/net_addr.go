package hostfs

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// net/netip would do all this, and cost the probe more bytes than the rest of
// the tables.

// isIPv4 tells ::ffff:a.b.c.d.
func (a InetAddr) isIPv4() bool {
	return a.IP == [16]byte{10: 0xff, 11: 0xff, 12: a.IP[12], 13: a.IP[13], 14: a.IP[14], 15: a.IP[15]}
}

// IsAny says whether this is no address: 0.0.0.0 or ::.
func (a InetAddr) IsAny() bool {
	return a.IP == [16]byte{} || a.IP == [16]byte{10: 0xff, 11: 0xff}
}

// Host is the address alone, "10.0.0.1" or "fd00::1" (RFC 5952).
func (a InetAddr) Host() string {
	if !a.isIPv4() {
		return a.ipv6()
	}
	b := make([]byte, 0, len("255.255.255.255"))
	for i, c := range a.IP[12:] {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(c), 10)
	}
	return string(b)
}

// ipv6 shortens the longest run of two or more zero words to "::", of equals
// the first.
func (a InetAddr) ipv6() string {
	var words [8]uint16
	for i := range words {
		words[i] = binary.BigEndian.Uint16(a.IP[2*i:])
	}
	from, length := 8, 1
	for i := range words {
		n := 0
		for i+n < 8 && words[i+n] == 0 {
			n++
		}
		if n > length {
			from, length = i, n
		}
	}
	b := make([]byte, 0, 39)
	for i := 0; i < 8; i++ {
		if i == from {
			b = append(b, "::"...)
			i += length - 1
			continue
		}
		if i > 0 && b[len(b)-1] != ':' {
			b = append(b, ':')
		}
		b = strconv.AppendUint(b, uint64(words[i]), 16)
	}
	return string(b)
}

// String is "10.0.0.1:443" or "[fd00::1]:443".
func (a InetAddr) String() string {
	host := a.Host()
	if !a.isIPv4() {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(int(a.Port))
}

// parseIP reads what Host writes.
func parseIP(s string) (ip [16]byte, ok bool) {
	if strings.Contains(s, ".") {
		ip[10], ip[11] = 0xff, 0xff
		return ip, words(s, ".", 10, 255, func(i int, v uint64) { ip[12+i] = byte(v) }) == 4
	}
	put := func(at int) func(i int, v uint64) {
		return func(i int, v uint64) { binary.BigEndian.PutUint16(ip[at+2*i:], uint16(v)) }
	}
	head, tail, short := strings.Cut(s, "::")
	if !short {
		return ip, words(s, ":", 16, 0xffff, put(0)) == 8
	}
	n := 0
	if tail != "" {
		n = strings.Count(tail, ":") + 1
	}
	if n > 7 || tail != "" && words(tail, ":", 16, 0xffff, put(16-2*n)) != n {
		return ip, false
	}
	return ip, head == "" || words(head, ":", 16, 0xffff, put(0)) == strings.Count(head, ":")+1 && strings.Count(head, ":")+1+n <= 7
}

// words passes on the numbers between separators, eight at most, and says how
// many; -1 where one is none.
func words(s, sep string, base int, most uint64, put func(i int, v uint64)) (n int) {
	for word := range strings.SplitSeq(s, sep) {
		v, err := strconv.ParseUint(word, base, 64)
		if err != nil || v > most || n == 8 || base == 10 && n == 4 {
			return -1
		}
		put(n, v)
		n++
	}
	return n
}
