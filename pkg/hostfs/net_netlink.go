package hostfs

// NetlinkSocket is what is used of one line of /proc/PID/net/netlink
// (net/netlink/af_netlink.c), the same from Linux 3.10 on:
//
//	sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
//	0000000000000000 0   1234       00000000 0        0        0     2        0        40231
type NetlinkSocket struct {
	Protocol uint16
	Inode    uint32
}

// ParseNetlinkSocket parses a line; ok is false for the heading, for a line of
// another form, and for the kernel's own sockets, inode 0.
func ParseNetlinkSocket(line []byte) (s NetlinkSocket, ok bool) {
	var f [10][]byte
	if _, ok := firstFields(line, f[:]); !ok {
		return s, false
	}
	protocol, ok := decimal32(f[1])
	if !ok || protocol > 0xffff {
		return s, false
	}
	s.Protocol = uint16(protocol)
	s.Inode, ok = decimal32(f[9])
	return s, ok && s.Inode != 0
}

// NetlinkProtocolName is the name in include/uapi/linux/netlink.h, "" where it
// is not known.
func NetlinkProtocolName(protocol uint16) string {
	names := [...]string{0: "ROUTE", 2: "USERSOCK", 4: "SOCK_DIAG", 5: "NFLOG", 6: "XFRM", 7: "SELINUX", 8: "ISCSI", 9: "AUDIT",
		10: "FIB_LOOKUP", 11: "CONNECTOR", 12: "NETFILTER", 15: "KOBJECT_UEVENT", 16: "GENERIC", 20: "RDMA", 21: "CRYPTO"}
	if int(protocol) < len(names) {
		return names[protocol]
	}
	return ""
}
