package hostfs

import (
	"bytes"
	"encoding/binary"
)

// InetSocket is what is used of one line of /proc/PID/net/tcp, proc_pid_net(5),
// which tcp6, udp, udp6, udplite, raw and icmp share up to the inode:
//
//	sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//	 0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1 …
//
// For raw sockets the local port is the protocol, for ping (icmp) the id.
type InetSocket struct {
	Local, Remote InetAddr
	State         byte // TCPEstablished and so on; UDP and raw use two of them
	Inode         uint32
}

// InetAddr is an address and port. IPv4 has the form ::ffff:a.b.c.d, as it has
// in sockets of IPv6 that serve both.
type InetAddr struct {
	IP   [16]byte
	Port uint16
}

// States of include/net/tcp_states.h that rules speak of.
const (
	TCPEstablished = 1
	TCPClose       = 7
	TCPListen      = 10
)

// TCPStateName is the kernel's name of a state, as ss and netstat write it.
func TCPStateName(state byte) string {
	names := [...]string{1: "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
		"CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV"}
	if int(state) < len(names) {
		return names[state]
	}
	return ""
}

// ParseInetSocket parses a line. ok is false for the heading, for a line of
// another form, and where no process has the socket: inode 0, as of TIME_WAIT.
func ParseInetSocket(line []byte) (s InetSocket, ok bool) {
	var f [10][]byte
	if _, ok := firstFields(line, f[:]); !ok {
		return s, false
	}
	state, ok := hex32(f[3])
	if !ok || state > 0xff {
		return s, false
	}
	if s.Inode, ok = decimal32(f[9]); !ok || s.Inode == 0 {
		return s, false
	}
	if s.Local, ok = parseInetAddr(f[1]); !ok {
		return s, false
	}
	s.State = byte(state)
	s.Remote, ok = parseInetAddr(f[2])
	return s, ok
}

// parseInetAddr reads "0100007F:1F90": words of 32 bits of the address in
// network order, each written as a number of the node's byte order.
func parseInetAddr(b []byte) (a InetAddr, ok bool) {
	ip, port, ok := bytes.Cut(b, []byte(":"))
	if !ok || len(ip) != 8 && len(ip) != 32 {
		return a, false
	}
	p, ok := hex32(port)
	if !ok || p > 0xffff {
		return a, false
	}
	a.Port = uint16(p)
	to := a.IP[:]
	if len(ip) == 8 {
		a.IP[10], a.IP[11], to = 0xff, 0xff, a.IP[12:]
	}
	for ; len(ip) > 0; ip, to = ip[8:], to[4:] {
		word, ok := hex32(ip[:8])
		if !ok {
			return a, false
		}
		binary.NativeEndian.PutUint32(to, word)
	}
	return a, true
}

// firstFields finds the first words of a line and what follows them; ok is
// false where there are fewer than fields has room for.
func firstFields(line []byte, fields [][]byte) (rest []byte, ok bool) {
	for i := range fields {
		line = bytes.TrimLeft(line, " \t")
		end := bytes.IndexAny(line, " \t")
		if end < 0 {
			end = len(line)
		}
		if end == 0 {
			return nil, false
		}
		fields[i], line = line[:end], line[end:]
	}
	return line, true
}

// hex32 reads up to 8 hexadecimal digits without an allocation.
func hex32(digits []byte) (uint32, bool) {
	var n uint32
	for _, c := range digits {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | uint32(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			n = n<<4 | uint32(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return n, len(digits) > 0 && len(digits) <= 8
}
