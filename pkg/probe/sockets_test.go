//go:build linux

package probe

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// On this kernel itself: sock_diag, inotify and a directory cannot be captured
// in a tree.
func TestOwnDescriptorsOnThisKernel(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "docker.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for range 3 {
		client, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		server, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
	}
	held, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(held)
	watcher, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(watcher)
	if _, err := unix.InotifyAddWatch(watcher, dir, unix.IN_CREATE); err != nil {
		t.Fatal(err)
	}

	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses)
	req.FDs, req.PIDs = true, []int{os.Getpid()}
	r := collect(t, hostfs.FS{Proc: "/proc", Sys: "/sys", Root: "/"}, req)
	i := slices.IndexFunc(r.Processes.List, func(p report.Process) bool { return p.PID == os.Getpid() })
	p := r.Processes.List[i]
	me := &report.SocketPeer{PID: p.PID, Comm: p.Comm}
	name := hostfs.Fold(path)
	for _, want := range []report.SocketGroup{
		{Protocol: "unix", State: "LISTEN", Local: name, Count: 1},
		{Protocol: "unix", State: "CONNECTED", Local: name, Peer: me, Count: 3},
		{Protocol: "unix", State: "CONNECTED", Remote: name, Peer: me, Count: 3},
	} {
		if !slices.ContainsFunc(p.FDs.Sockets, func(g report.SocketGroup) bool { return sameGroup(g, want) }) {
			t.Errorf("no %+v in %+v; unreadable: %+v", want, p.FDs.Sockets, r.Processes.Unreadable)
		}
	}
	if !slices.Contains(p.FDs.Targets, report.Target{Kind: "directory", Pattern: hostfs.Fold(dir), Count: 1}) {
		t.Errorf("the directory is none of %+v", p.FDs.Targets)
	}
	if p.FDs.Inotify == nil || *p.FDs.Inotify != (report.Inotify{Instances: 1, Watches: 1}) || p.UID == nil || *p.UID != os.Geteuid() {
		t.Errorf("got %+v of user %v", p.FDs.Inotify, p.UID)
	}
	if p.FDs.Limit == nil || p.FDs.Limit.Soft == nil && p.FDs.Limit.Hard != nil {
		t.Errorf("limit %+v", p.FDs.Limit)
	}
}

func sameGroup(a, b report.SocketGroup) bool {
	peers := a.Peer == nil && b.Peer == nil || a.Peer != nil && b.Peer != nil && *a.Peer == *b.Peer
	a.Peer, b.Peer = nil, nil
	return peers && a == b
}

// Inode numbers take all 32 bits, and a socket may have several descriptors.
func TestFindSockets(t *testing.T) {
	s := newSockets(hostfs.FS{Proc: t.TempDir()}, openProc(t, t.TempDir()), unreadable{})
	inodes := []uint32{1, 1<<31 - 1, 1 << 31, 1<<32 - 1}
	for process, inode := range inodes {
		s.hold(process, inode)
		s.hold(7, inode)
	}
	s.explain(t.Context(), func(func(int) bool) {})
	for process, inode := range inodes {
		if taken := s.take(inode); len(taken) != 2 || taken[0].owner() != int32(process) || taken[1].owner() != 7 || len(s.take(inode)) > 0 {
			t.Errorf("%d: got %v", inode, taken)
		}
	}
	if s.left != 0 || len(s.find(2)) > 0 {
		t.Errorf("%d left", s.left)
	}
}

func TestFoldSocketsLosesNone(t *testing.T) {
	var list []socketGroup
	for i := range 1000 {
		list = append(list, socketGroup{protocol: "UDP", local: fmt.Sprintf("10.0.0.1:%d", i), peer: noPeer, count: 1},
			socketGroup{protocol: protocolUnix, state: "CONNECTED", local: "/run/x.sock", peer: int32(i), count: 2})
	}
	list = append([]socketGroup{{protocol: "TCP", state: "CLOSE_WAIT", remote: "10.0.0.5:443", peer: noPeer, count: 5000}}, list...)
	got := foldSockets(list, maxSockets)
	total := 0
	for _, g := range got {
		total += g.count
	}
	if total != 8000 || len(got) > 2*maxSockets || got[0].count != 5000 {
		t.Errorf("%d descriptors in %d groups: %+v", total, len(got), got)
	}
	if got := foldSockets(slices.Clone(list[:10]), maxSockets); !slices.Equal(got, list[:10]) {
		t.Errorf("few are left as they are, got %+v", got)
	}
}

// What a crawler or a large server has is bounded, and still adds up.
func TestCountingSocketsIsBounded(t *testing.T) {
	s := newSockets(hostfs.FS{Proc: t.TempDir()}, openProc(t, t.TempDir()), unreadable{})
	s.listening = map[uint16]bool{443: true}
	const n = 3000
	for i := range n {
		remote := hostfs.InetAddr{IP: [16]byte{10: 0xff, 11: 0xff, 12: 10, 14: byte(i >> 8), 15: byte(i)}, Port: 443}
		s.count(s.inetKey(0, protocolTCP, hostfs.InetSocket{Remote: remote, State: hostfs.TCPEstablished}))
		s.count(s.inetKey(1, protocolTCP, hostfs.InetSocket{Local: hostfs.InetAddr{Port: 443}, Remote: remote, State: hostfs.TCPEstablished}))
	}
	totals, patterns := map[int32]int{}, map[string]bool{}
	s.addInet(func(process int32, g socketGroup) {
		totals[process] += g.count
		if process == 1 || g.remote == "" {
			patterns[g.pattern(nil)] = true
		}
	})
	if len(s.inet) > 2*maxSocketGroups+2 || totals[0] != n || totals[1] != n {
		t.Errorf("%d groups, %v descriptors", len(s.inet), totals)
	}
	if len(patterns) != 2 || !patterns["ESTABLISHED on :443"] || !patterns["ESTABLISHED to many addresses"] {
		t.Errorf("got %v", patterns)
	}
}

func openProc(t *testing.T, dir string) *hostfs.Proc {
	t.Helper()
	p, err := hostfs.OpenProc(hostfs.FS{Proc: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// A process whose first thread has ended shows no network namespace.
func TestSocketsAreFoundByANeighbourOfThePod(t *testing.T) {
	fs := plant(t, smallNode+`
-- proc/7 (process) --
comm java
fd 3..5 socket:[70{n}]
-- proc/8 (process) --
comm pause
-- proc/8/ns/net -> net:[4026532500] --
-- proc/8/net/tcp (table) --
{3..5} 1: 0100000A:900{n} 0500000A:01BB 08 0:0 00:0 0 0 0 70{n} 1
`)
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses)
	req.FDs, req.PIDs = true, []int{7}
	for _, p := range collect(t, fs, req).Processes.List {
		want := []report.SocketGroup{{Protocol: "TCP", State: "CLOSE_WAIT", Remote: "10.0.0.5:443", Count: 3}}
		if p.PID == 7 && !slices.EqualFunc(p.FDs.Sockets, want, sameGroup) {
			t.Errorf("got %+v", p.FDs.Sockets)
		}
	}
}

// Inotify instances sit in light processes, too: those that no heavy cgroup has.
func TestLightProcessesAreSkimmed(t *testing.T) {
	tree := smallNode
	for i := range classifiedCgroups + 4 {
		tree += fmt.Sprintf("-- proc/%d (process) --\ncomm heavy\ncgroup /%d\nfd 0..19 pipe:[{n}]\n", 1000+i, i)
	}
	tree += "-- proc/5000 (process) --\ncomm tail\ncgroup /tail\nuid 7\nfd 0..1 anon_inode:inotify\nfd 2 /dev/null\n" +
		"-- proc/5000/fdinfo/0 (table) --\nflags:\t00\n{1..5} inotify wd:{n}\n-- proc/5000/fdinfo/1 --\nflags:\t00\n"
	fs := plant(t, tree)
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses)
	req.FDs = true
	for _, all := range []bool{false, true} {
		req.AllFDs, req.Users = all, all
		r := collect(t, fs, req)
		classified, users := 0, 0
		for _, p := range r.Processes.List {
			if len(p.FDs.Kinds) > 0 {
				classified++
			}
			if p.UID != nil {
				users++
			}
			if p.PID == 5000 && (p.FDs.Inotify == nil || *p.FDs.Inotify != (report.Inotify{Instances: 2, Watches: 5}) || p.UID == nil || *p.UID != 7) {
				t.Errorf("all %v: got %+v of %v", all, p.FDs.Inotify, p.UID)
			}
		}
		if everyone := len(r.Processes.List); all != (classified == everyone) || all != (users == everyone) {
			t.Errorf("all %v: %d classified and %d with a user of %d", all, classified, users, everyone)
		}
	}
}

// A socket that a reset has closed is in no table; where a table could not be
// read, that cannot be told.
func TestSocketInNoTable(t *testing.T) {
	const process = `-- proc/7 (process) --
comm hub
start 100
cgroup /
args hub
fd 0..2 /dev/null
fd 3..9 socket:[70{n}]
-- proc/7/ns/net -> net:[4026531840] --
`
	const table = "-- proc/7/net/tcp --\n  sl  local_address rem_address   st\n"
	for name, c := range map[string]struct {
		tree string
		want report.SocketGroup
	}{
		"tables are read": {process + table, report.SocketGroup{Protocol: "socket", State: "in no table", Count: 7}},
		"no table":        {process, report.SocketGroup{Protocol: "socket", Count: 7}},
		"no namespace":    {process + table + "-- proc/7/ns/net (absent) --\n", report.SocketGroup{Protocol: "socket", Count: 7}},
	} {
		t.Run(name, func(t *testing.T) {
			req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses)
			req.FDs = true
			r := collect(t, plant(t, c.tree), req)
			if got := r.Processes.List[0].FDs; len(got.Sockets) != 1 || !sameGroup(got.Sockets[0], c.want) || got.Sockets[0].State != c.want.State {
				t.Errorf("got %+v, want %+v", got.Sockets, c.want)
			}
		})
	}
}
