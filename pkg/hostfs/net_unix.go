package hostfs

// UnixSocket is what is used of one line of /proc/PID/net/unix, unix(7):
//
//	Num               RefCount Protocol Flags    Type St Inode Path
//	0000000000000000: 00000002 00000000 00010000 0001 01 40231 /run/docker.sock
//
// A socket that was accepted carries the listener's path. An abstract name
// begins with '@', and '@' stands for each NUL in it. The kernel escapes
// nothing: whoever binds a name with a newline in it writes lines of his own
// here, so sock_diag is believed first.
type UnixSocket struct {
	State UnixState
	Inode uint32
	// Peer is the inode of the other end, from sock_diag only.
	Peer uint32
	Path []byte // of the line; empty where it has none
}

// UnixState is what can be told of a unix socket.
type UnixState byte

// States of a unix socket. A datagram socket is mostly neither.
const (
	UnixUnconnected UnixState = iota
	UnixListen
	UnixConnected
)

const (
	soAcceptCon = 1 << 16 // __SO_ACCEPTCON of include/linux/net.h
	ssConnected = 3       // SS_CONNECTED of include/uapi/linux/net.h
)

// ParseUnixSocket parses a line; ok is false for the heading, for a line of
// another form, and where no process has the socket.
func ParseUnixSocket(line []byte) (s UnixSocket, ok bool) {
	var f [7][]byte
	rest, ok := firstFields(line, f[:])
	if !ok {
		return s, false
	}
	flags, flagsOK := hex32(f[3])
	state, stateOK := hex32(f[5])
	if s.Inode, ok = decimal32(f[6]); !ok || s.Inode == 0 || !flagsOK || !stateOK {
		return s, false
	}
	switch {
	case flags&soAcceptCon != 0:
		s.State = UnixListen
	case state == ssConnected:
		s.State = UnixConnected
	}
	if len(rest) > 1 {
		s.Path = rest[1:] // behind one space
	}
	return s, true
}
