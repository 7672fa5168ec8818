package hostfs

// PacketSocket is what is used of one line of /proc/PID/net/packet, packet(7):
//
//	sk               RefCnt Type Proto  Iface R Rmem   User   Inode
//	0000000000000000 3      3    88cc   2     1 0      0      40231
type PacketSocket struct {
	Protocol uint16 // an ethertype, 0003 for all
	Inode    uint32
}

// ParsePacketSocket parses a line; ok is false for the heading, for a line of
// another form, and where no process has the socket.
func ParsePacketSocket(line []byte) (s PacketSocket, ok bool) {
	var f [9][]byte
	if _, ok := firstFields(line, f[:]); !ok {
		return s, false
	}
	protocol, ok := hex32(f[3])
	if !ok || protocol > 0xffff {
		return s, false
	}
	s.Protocol = uint16(protocol)
	s.Inode, ok = decimal32(f[8])
	return s, ok && s.Inode != 0
}
