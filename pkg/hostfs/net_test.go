package hostfs

import (
	"net/netip"
	"testing"
)

const (
	tcpLine  = "   1: 0100000A:1F90 0500000A:01BB 08 00000000:00000001 00:00000000 00000000  1000        0 40231 1 0000000000000000 20 4 30 10 -1"
	tcp6Line = "   0: 000000FD000000000000000001000000:20FB 0000000000000000FFFF00000500000A:8E5C 01 00000000:00000000 00:00000000 00000000     0        0 40232 1 0000000000000000"
)

func TestParseInetSocket(t *testing.T) {
	for name, c := range map[string]struct {
		line, local, remote, state string
		inode                      uint32
	}{
		"tcp":                 {tcpLine, "10.0.0.1:8080", "10.0.0.5:443", "CLOSE_WAIT", 40231},
		"tcp6 with v4-mapped": {tcp6Line, "[fd00::1]:8443", "10.0.0.5:36444", "ESTABLISHED", 40232},
		"tcp6 of any address": {"  0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 7", "[::]:80", "[::]:0", "LISTEN", 7},
		"udp, drops behind":   {"  377: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 9911 2 0000000000000000 0", "0.0.0.0:53", "0.0.0.0:0", "CLOSE", 9911},
	} {
		t.Run(name, func(t *testing.T) {
			s, ok := ParseInetSocket([]byte(c.line))
			if !ok || s.Local.String() != c.local || s.Remote.String() != c.remote || TCPStateName(s.State) != c.state || s.Inode != c.inode {
				t.Errorf("got %s %s %s %d %v", s.Local, s.Remote, TCPStateName(s.State), s.Inode, ok)
			}
		})
	}
	for name, line := range map[string]string{
		"heading":   "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
		"TIME_WAIT": "   2: 0100000A:1F90 0500000A:01BB 06 00000000:00000000 03:00000CEB 00000000     0        0 0 3 0000000000000000",
		"cut short": tcpLine[:60],
		"no hex":    "   1: 0100000G:1F90 0500000A:01BB 08 0:0 00:0 0 0 0 40231",
	} {
		if s, ok := ParseInetSocket([]byte(line)); ok {
			t.Errorf("%s: got %+v", name, s)
		}
	}
}

func TestInetAddr(t *testing.T) {
	for _, s := range []string{"10.0.0.1", "0.0.0.0", "255.255.255.255", "::", "::1", "fd00::1", "1::", "2001:db8::1:0:0:1",
		"2001:db8:0:1:1:1:1:1", "1:0:0:2::3", "::1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8"} {
		ip := netip.MustParseAddr(s)
		a := InetAddr{IP: ip.As16()}
		if got, want := a.Host(), ip.Unmap().String(); got != want {
			t.Errorf("%s: written %s, want %s", s, got, want)
		}
		if got, ok := parseIP(s); !ok || got != ip.As16() {
			t.Errorf("%s: read %v %v", s, got, ok)
		}
		if a.IsAny() != ip.Unmap().IsUnspecified() {
			t.Errorf("%s: any %v", s, a.IsAny())
		}
	}
	for _, s := range []string{"", "1.2.3", "1.2.3.4.5", "1.2.3.256", ":::", "1:2", "1::2::3", "1:2:3:4:5:6:7:8:9", "g::"} {
		if ip, ok := parseIP(s); ok {
			t.Errorf("%q is read as %v", s, ip)
		}
	}
}

func TestParseUnixSocket(t *testing.T) {
	for name, c := range map[string]struct {
		line string
		want UnixSocket
	}{
		"listener":          {"0000000000000000: 00000002 00000000 00010000 0001 01 40231 /run/docker.sock", UnixSocket{UnixListen, 40231, 0, []byte("/run/docker.sock")}},
		"accepted":          {"ffff88003c3b9c00: 00000003 00000000 00000000 0001 03 40232 /run/docker.sock", UnixSocket{UnixConnected, 40232, 0, []byte("/run/docker.sock")}},
		"client, no name":   {"0000000000000000: 00000003 00000000 00000000 0001 03    33", UnixSocket{UnixConnected, 33, 0, nil}},
		"datagram":          {"0000000000000000: 00000003 00000000 00000000 0002 01 40233 /run/systemd/notify", UnixSocket{UnixUnconnected, 40233, 0, []byte("/run/systemd/notify")}},
		"abstract":          {"0000000000000000: 00000002 00000000 00010000 0005 01 40234 @/a b@", UnixSocket{UnixListen, 40234, 0, []byte("@/a b@")}},
		"a space in front":  {"0000000000000000: 00000002 00000000 00010000 0005 01 40234  /x", UnixSocket{UnixListen, 40234, 0, []byte(" /x")}},
		"digits of another": {"0000000000000000: 00000003 00000000 00000000 0001 03 00003 /x", UnixSocket{UnixConnected, 3, 0, []byte("/x")}},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := ParseUnixSocket([]byte(c.line))
			if !ok || got.State != c.want.State || got.Inode != c.want.Inode || string(got.Path) != string(c.want.Path) {
				t.Errorf("got %+v %q %v", got, got.Path, ok)
			}
		})
	}
	if s, ok := ParseUnixSocket([]byte("Num       RefCount Protocol Flags    Type St Inode Path")); ok {
		t.Errorf("the heading is %+v", s)
	}
}

func TestParseOtherSockets(t *testing.T) {
	if s, ok := ParseNetlinkSocket([]byte("0000000000000000 15  1234       00000001 0        0        0     2        0        40231   ")); !ok || NetlinkProtocolName(s.Protocol) != "KOBJECT_UEVENT" || s.Inode != 40231 {
		t.Errorf("netlink: got %+v %v", s, ok)
	}
	if s, ok := ParseNetlinkSocket([]byte("ffff88007b33e800 0   0          00000000 0        0        0     2        0        0")); ok {
		t.Errorf("the kernel's own netlink socket: got %+v", s)
	}
	if s, ok := ParsePacketSocket([]byte("0000000000000000 3      3    88cc   2     1 0      0      40231")); !ok || s.Protocol != 0x88cc || s.Inode != 40231 {
		t.Errorf("packet: got %+v %v", s, ok)
	}
	if s, ok := ParseSCTPEndpoint([]byte("ffff880034f1 ffff880034f2 2   10  29   36412     0 40231 10.0.0.5 *fd00::5 ")); !ok || s.Local.String() != "[fd00::5]:36412" || s.State != TCPListen {
		t.Errorf("sctp endpoint: got %+v %v", s, ok)
	}
	const assoc = "ffff8800 ffff8800 2   1   3  0     14        0        0       0 40231 36412  3868  *10.0.0.5 10.1.0.5 <-> *10.0.0.9 10.1.0.9 \t    7500    10    10 0 0 0 1 1 212992 212992"
	if s, ok := ParseSCTPAssociation([]byte(assoc)); !ok || s.Remote.String() != "10.0.0.9:3868" || s.Local.Port != 36412 || s.State != TCPEstablished {
		t.Errorf("sctp association: got %+v %v", s, ok)
	}
}

func FuzzNetTables(f *testing.F) {
	f.Add([]byte(tcpLine))
	f.Add([]byte(tcp6Line))
	f.Add([]byte("0000000000000000: 00000002 00000000 00010000 0001 01 40231 @/x y"))
	f.Add([]byte("0000000000000000 15  1234       00000001 0        0        0     2        0        40231"))
	f.Add([]byte("0000000000000000 3      3    88cc   2     1 0      0      40231"))
	f.Add([]byte("e s 2 10 29 36412 0 40231 *10.0.0.5 fd00::5"))
	f.Add([]byte("a s 2 1 3 0 14 0 0 0 40231 36412 3868 *10.0.0.5 <-> *10.0.0.9 7500"))
	f.Fuzz(func(t *testing.T, line []byte) {
		for _, parse := range []func([]byte) (InetSocket, bool){ParseInetSocket, ParseSCTPEndpoint, ParseSCTPAssociation} {
			s, ok := parse(line)
			if !ok {
				continue
			}
			if s.Inode == 0 {
				t.Fatalf("%q: a socket without an inode", line)
			}
			if ip, ok := parseIP(s.Local.Host()); !ok || ip != s.Local.IP {
				t.Fatalf("%q: %v is written %s", line, s.Local.IP, s.Local.Host())
			}
		}
		if s, ok := ParseUnixSocket(line); ok && (s.Inode == 0 || len(s.Path) >= len(line)) {
			t.Fatalf("%q: %+v", line, s)
		}
		ParseNetlinkSocket(line)
		ParsePacketSocket(line)
	})
}
