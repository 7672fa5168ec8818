package hostfs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"
)

// Numbers of include/uapi/linux: netlink.h, sock_diag.h, unix_diag.h.
const (
	nlError          = 2  // NLMSG_ERROR
	nlDone           = 3  // NLMSG_DONE
	sockDiagByFamily = 20 // SOCK_DIAG_BY_FAMILY
	nlHeader         = 16 // struct nlmsghdr
	unixDiagRequest  = 24 // struct unix_diag_req
	unixDiagMessage  = 16 // struct unix_diag_msg
	unixDiagName     = 0
	unixDiagPeer     = 2
	afUnix           = 1
)

// unixDiagDump asks for all unix sockets with name and peer: a struct nlmsghdr
// (length, type, flags, sequence, port) and a struct unix_diag_req (family,
// protocol, pad, states, inode, show, cookie).
func unixDiagDump() []byte {
	const request, dump, showNameAndPeer = 0x001, 0x300, 1 | 4
	b := make([]byte, nlHeader+unixDiagRequest)
	n := binary.NativeEndian
	n.PutUint32(b, uint32(len(b)))
	n.PutUint16(b[4:], sockDiagByFamily)
	n.PutUint16(b[6:], request|dump)
	n.PutUint32(b[8:], 1)
	b[nlHeader] = afUnix
	n.PutUint32(b[nlHeader+4:], 1<<32-1) // all states
	n.PutUint32(b[nlHeader+12:], showNameAndPeer)
	return b
}

var errDiagForm = errors.New("sock_diag answered in another form")

// ParseUnixDiag reads one datagram of the answer, messages that each begin with
// a struct nlmsghdr, and calls fn with each socket. done: that was the last.
func ParseUnixDiag(b []byte, fn func(UnixSocket)) (done bool, err error) {
	for len(b) >= nlHeader {
		size := int(binary.NativeEndian.Uint32(b))
		if size < nlHeader || size > len(b) {
			return false, errDiagForm
		}
		payload := b[nlHeader:size]
		switch binary.NativeEndian.Uint16(b[4:]) {
		case nlDone:
			return true, nil
		case nlError:
			if len(payload) < 4 {
				return false, errDiagForm
			}
			return true, fmt.Errorf("sock_diag: %w", syscall.Errno(-int32(binary.NativeEndian.Uint32(payload))))
		case sockDiagByFamily:
			if s, ok := parseUnixDiagMessage(payload); ok {
				fn(s)
			}
		}
		b = b[min(align4(size), len(b)):]
	}
	return false, nil
}

// parseUnixDiagMessage: a struct unix_diag_msg (family, type, state in the
// numbers of TCP, pad, inode, cookie), then attributes: length, type, value,
// padded to 4 bytes.
func parseUnixDiagMessage(b []byte) (s UnixSocket, ok bool) {
	if len(b) < unixDiagMessage || b[0] != afUnix {
		return s, false
	}
	switch b[2] {
	case TCPListen:
		s.State = UnixListen
	case TCPEstablished:
		s.State = UnixConnected
	}
	s.Inode = binary.NativeEndian.Uint32(b[4:])
	for b = b[unixDiagMessage:]; len(b) >= 4; {
		size := int(binary.NativeEndian.Uint16(b))
		if size < 4 || size > len(b) {
			return s, false
		}
		switch value := b[4:size]; binary.NativeEndian.Uint16(b[2:]) {
		case unixDiagName:
			s.Path = unixName(value)
		case unixDiagPeer:
			if len(value) >= 4 {
				s.Peer = binary.NativeEndian.Uint32(value)
			}
		}
		b = b[min(align4(size), len(b)):]
	}
	return s, s.Inode != 0
}

// unixName writes sun_path as /proc/net/unix does: a path ends at its NUL, an
// abstract name begins with one, and each of its NULs becomes '@'.
func unixName(b []byte) []byte {
	if len(b) == 0 || b[0] != 0 {
		path, _, _ := bytes.Cut(b, []byte{0})
		return path
	}
	return bytes.ReplaceAll(b, []byte{0}, []byte("@"))
}

func align4(n int) int { return (n + 3) &^ 3 }
