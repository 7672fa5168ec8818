//go:build linux

package probe

import (
	"bytes"
	"context"
	"sort"
	"strconv"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	maxFoundSockets = 256
	maxHolders      = 10_000
	maxFoundSpaces  = 4096 // network namespaces looked into
	// foundReserve is left of the deadline: a collector that overruns it says
	// nothing at all, and what was found until then is worth more.
	foundReserve = 5 * time.Second
)

// finder looks for the sockets at a port, and for whoever holds an inode.
type finder struct {
	run
	proc   *hostfs.Proc
	bad    unreadable
	out    *report.Found
	wanted map[uint64]bool // inodes
}

func collectFound(ctx context.Context, r run) (publish, error) {
	if r.req.Find == nil || r.report.Processes == nil {
		return nil, nil
	}
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	f := &finder{run: r, proc: proc, bad: unreadable{}, out: &report.Found{Find: *r.req.Find}, wanted: map[uint64]bool{}}
	if f.out.Inode != 0 {
		f.wanted[f.out.Inode] = true
	}
	if end, bounded := ctx.Deadline(); bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-foundReserve))
		defer cancel()
	}
	f.sockets(ctx)
	f.holders(ctx)
	f.out.Unreadable = f.bad.list()
	return func(r *run) { r.report.Found = f.out }, nil
}

// sockets looks into every network namespace, through one of its processes each.
func (f *finder) sockets(ctx context.Context) {
	host := f.hostNetwork()
	seen := map[string]bool{}
	for i := range f.report.Processes.List {
		p := &f.report.Processes.List[i]
		if p.Kernel || p.State == "Z" {
			continue
		}
		ns, err := f.proc.Readlink(p.PID, "ns/net")
		switch {
		case err != nil && !gone(err):
			f.bad.add("/proc/PID/ns/net", err)
		case err != nil || seen[ns]:
		case ctx.Err() != nil:
			f.endEarly("/proc/PID/net/*", errNoTime)
			return
		case len(seen) == maxFoundSpaces:
			f.endEarly("/proc/PID/net/*", errTooMany)
			return
		default:
			if seen[ns] = f.namespace(ctx, p.PID, ns, host); seen[ns] {
				f.out.Namespaces++
			}
		}
	}
}

// hostNetwork is the node's own, "" where nothing tells: where the first
// process cannot be read, the probe's, which lives there.
func (f *finder) hostNetwork() string {
	for _, pid := range []int{1, rootPID(f.fs), ownPID(f.fs)} {
		if ns, err := f.proc.Readlink(pid, "ns/net"); err == nil {
			return ns
		}
	}
	return ""
}

func (f *finder) endEarly(what string, err error) {
	f.out.EndedEarly = true
	f.bad.add(what, err)
}

// namespace reads the tables of one; false where its process has ended
// meanwhile, and another may still show them.
func (f *finder) namespace(ctx context.Context, pid int, ns, host string) bool {
	read := false
	for _, t := range []struct {
		file     string
		protocol protocol
	}{{"tcp", protocolTCP}, {"tcp6", protocolTCP}, {"udp", protocolUDP}, {"udp6", protocolUDP}} {
		err := f.proc.EachLine(strconv.Itoa(pid)+"/net/"+t.file, func(line []byte) bool {
			s, ok := hostfs.ParseInetSocket(line)
			if ok && (f.out.Port != 0 && int(s.Local.Port) == f.out.Port || uint64(s.Inode) == f.out.Inode) {
				f.add(t.protocol, s, ns, host)
			}
			if ctx.Err() != nil {
				f.endEarly("/proc/PID/net/"+t.file, errNoTime)
				return false
			}
			return true
		})
		read = read || err == nil
		if err != nil && !gone(err) {
			f.bad.add("/proc/PID/net/"+t.file, err)
		}
	}
	return read && ctx.Err() == nil
}

// add keeps a socket. Those that wait for others are never left out for the
// connections that they have accepted.
func (f *finder) add(p protocol, s hostfs.InetSocket, ns, host string) {
	found := report.FoundSocket{Protocol: p.String(), Local: s.Local.String(), Inode: uint64(s.Inode), NetNS: hostfs.NamespaceInode(ns)}
	if host != "" {
		found.HostNetwork = new(ns == host)
	}
	tcp := p == protocolTCP
	if tcp {
		found.State = hostfs.TCPStateName(s.State)
	}
	if s.Remote.Port != 0 {
		found.Remote = s.Remote.String()
	}
	if len(f.out.Sockets) >= maxFoundSockets && (found.State != "LISTEN" && tcp || len(f.out.Sockets) >= 2*maxFoundSockets) {
		f.bad.add("sockets", errTooMany)
		return
	}
	f.wanted[found.Inode] = true
	f.out.Sockets = append(f.out.Sockets, found)
}

// holders reads the descriptors of all processes.
func (f *finder) holders(ctx context.Context) {
	if len(f.wanted) == 0 {
		return
	}
	for i := range f.report.Processes.List {
		p := &f.report.Processes.List[i]
		switch {
		case ctx.Err() != nil:
			f.endEarly("/proc/PID/fd/*", errNoTime)
			return
		case len(f.out.Holders) >= maxHolders:
			f.endEarly("/proc/PID/fd/*", errTooMany)
			return
		case !p.Kernel:
			f.holdersIn(ctx, p.PID)
		}
	}
}

func (f *finder) holdersIn(ctx context.Context, pid int) {
	type key struct {
		kind  string
		inode uint64
	}
	counts := map[key]int{}
	err := f.proc.EachFD(pid, func(_, link []byte) bool {
		for _, kind := range []string{"socket", "pipe"} {
			rest, ok := bytes.CutPrefix(link, []byte(kind+":["))
			if !ok {
				continue
			}
			inode, err := strconv.ParseUint(string(bytes.TrimSuffix(rest, []byte("]"))), 10, 64)
			if err == nil && f.wanted[inode] {
				counts[key{kind, inode}]++
			}
		}
		if ctx.Err() != nil {
			f.endEarly("/proc/PID/fd/*", errNoTime)
			return false
		}
		return true
	})
	if err != nil && !gone(err) {
		f.bad.add("/proc/PID/fd", err)
	}
	first := len(f.out.Holders)
	for k, n := range counts {
		f.out.Holders = append(f.out.Holders, report.Holder{PID: pid, Inode: k.inode, Kind: k.kind, Count: n})
	}
	own := f.out.Holders[first:]
	sort.Slice(own, func(i, j int) bool { return own[i].Inode < own[j].Inode })
}
