//go:build linux

package probe

import (
	"bytes"
	"context"
	"os"
	"slices"
	"sort"
	"strconv"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// maxPipeLinks bounds the descriptors that are read, maxPipes the pipes that
	// are told apart, some 60 bytes each.
	maxPipeLinks = 2_000_000
	maxPipes     = 200_000
	// maxPipeHolders are reported.
	maxPipeHolders = 500
)

// pipes collects who holds pipes, and who waits in one.
type pipes struct {
	run
	proc *hostfs.Proc
	bad  unreadable
	out  *report.Pipes
	// of are all pipes by their key, in the order in which they were met.
	of    map[pipeKey]int
	known []pipe
	// holders are the sums, by user and cgroup; index finds them.
	holders []report.PipeHolder
	index   map[[2]int]int
	// sized are the sums of those users' pipes whose capacity was asked for.
	sized map[int]report.PipeSum
}

// pipeKey is a pipe's inode, or that of a runtime's FIFO, made of its path.
type pipeKey uint64

// pipe is what is remembered of one.
type pipe struct {
	process int32 // that was met first, by its index: most likely who made it
	fd      int32 // there
	last    int32 // that was met last
	holders []int32
}

func collectPipes(ctx context.Context, r run) (publish, error) {
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	if r.report.Processes == nil {
		return nil, errNoProcesses
	}
	p := &pipes{run: r, proc: proc, bad: unreadable{}, of: map[pipeKey]int{}, index: map[[2]int]int{}, sized: map[int]report.PipeSum{},
		out: &report.Pipes{PageBytes: uint64(os.Getpagesize())}}
	p.limits()
	p.sum(ctx)
	p.sizes(ctx)
	if err := p.waits(ctx); err != nil {
		return nil, err
	}
	p.publishSums()
	p.out.Unreadable = p.bad.list()
	return func(r *run) { r.report.Pipes = p.out }, nil
}

// limits: a kernel before 4.5 has no limits per user, unless its distributor brought
// them back (CVE-2016-2847).
func (p *pipes) limits() {
	for name, to := range map[string]**uint64{
		"sys/fs/pipe-user-pages-soft": &p.out.UserPagesSoft, "sys/fs/pipe-user-pages-hard": &p.out.UserPagesHard, "sys/fs/pipe-max-size": &p.out.MaxSize,
	} {
		missing := unreadable{}
		if *to = readNumber(p.proc, name, missing); *to != nil {
			continue
		}
		if _, err := p.proc.Read(name); !hostfs.Gone(err) {
			p.bad.add("/proc/"+name, err)
		}
	}
}

// sum reads the links of every process.
func (p *pipes) sum(ctx context.Context) {
	budget := maxPipeLinks
	for i := range p.report.Processes.List {
		process := &p.report.Processes.List[i]
		if process.Kernel || process.State == "Z" || process.FDs != nil && process.FDs.Count == 0 {
			continue
		}
		if ctx.Err() != nil || budget <= 0 || process.Blocked || process.UID == nil {
			p.out.Unread++
			continue
		}
		count := 0
		err := p.proc.EachFD(process.PID, func(fd, link []byte) bool {
			budget--
			if key, ok := keyOfPipe(link); ok && p.add(key, i, fd) {
				count++
			}
			return budget > 0
		})
		if count > 0 {
			if h := &p.holders[p.holder(i)]; count > h.Most {
				h.Process, h.Most = process.PID, count
			}
		}
		if err != nil && !hostfs.Gone(err) {
			p.out.Unread++
			p.bad.add("/proc/PID/fd", err)
		}
	}
}

// keyOfPipe knows pipes by their number, and the FIFOs of runtimes by their path: a
// FIFO has the same buffers. Other FIFOs look like files.
func keyOfPipe(link []byte) (pipeKey, bool) {
	if inode, ok := hostfs.PipeInode(link); ok {
		return pipeKey(inode), true
	}
	if len(link) == 0 || link[0] != '/' || !bytes.Contains(link, []byte("containerd/")) {
		return 0, false
	}
	if _, ok := hostfs.ParseStdioFIFO(string(link)); !ok {
		return 0, false
	}
	const basis, prime, fifo = 14695981039346656037, 1099511628211, 1 << 63 // FNV-1a
	hash := uint64(basis)
	for _, c := range link {
		hash = (hash ^ uint64(c)) * prime
	}
	return pipeKey(hash | fifo), true
}

// add says whether the process was not met with this pipe before.
func (p *pipes) add(key pipeKey, process int, fd []byte) bool {
	at, there := p.of[key]
	if !there {
		if len(p.known) == maxPipes {
			p.bad.add("/proc/PID/fd/*", errTooMany)
			return false
		}
		at = len(p.known)
		p.of[key] = at
		p.known = append(p.known, pipe{process: int32(process), fd: int32(parseFD(fd)), last: -1})
	}
	known := &p.known[at]
	if known.last == int32(process) {
		return false
	}
	known.last = int32(process)
	holder := int32(p.holder(process))
	if !slices.Contains(known.holders, holder) {
		known.holders = append(known.holders, holder)
		p.holders[holder].Pipes++
	}
	return true
}

func parseFD(digits []byte) (n int) {
	for _, c := range digits {
		n = n*10 + int(c-'0')
	}
	return n
}

// holder is the index of a process's user and cgroup.
func (p *pipes) holder(process int) int {
	list := p.report.Processes.List
	key := [2]int{*list[process].UID, list[process].Cgroup}
	at, there := p.index[key]
	if !there {
		at = len(p.holders)
		p.index[key] = at
		p.holders = append(p.holders, report.PipeHolder{UID: key[0], Cgroup: key[1]})
	}
	return at
}

// publishSums adds up users and leaves the smallest holders out.
func (p *pipes) publishSums() {
	users := map[int]*report.PipeUser{}
	for i := range p.known {
		uid := p.userOf(i)
		if users[uid] == nil {
			users[uid] = &report.PipeUser{UID: uid}
		}
		users[uid].Pipes++
	}
	for uid, sized := range p.sized {
		sized.Pipes = users[uid].Pipes
		users[uid].PipeSum = sized
	}
	for uid, u := range users {
		u.Mapped = p.mapped(uid)
		p.out.Users = append(p.out.Users, *u)
	}
	sort.Slice(p.out.Users, func(i, j int) bool { return p.out.Users[i].UID < p.out.Users[j].UID })
	sort.SliceStable(p.holders, func(i, j int) bool { return p.holders[i].Pipes > p.holders[j].Pipes })
	if len(p.holders) > maxPipeHolders {
		p.bad.add("holders of few pipes", errTooMany)
		p.holders = p.holders[:maxPipeHolders]
	}
	p.out.Holders = p.holders
}

// mapped is the user namespace's range of whoever holds most of a user's pipes.
func (p *pipes) mapped(uid int) *report.IDRange {
	holder, most := 0, 0
	for _, h := range p.holders {
		if h.UID == uid && h.Most > most {
			holder, most = h.Process, h.Most
		}
	}
	b, err := p.proc.Read(strconv.Itoa(holder) + "/uid_map")
	if err != nil {
		p.failed(err)
		return nil
	}
	inside, first, count, ok := hostfs.ParseIDMap(b, uid)
	if !ok {
		return nil
	}
	return &report.IDRange{Inside: inside, First: first, Count: count}
}

func (p *pipes) failed(err error) {
	if !hostfs.Gone(err) {
		p.bad.add("/proc/PID/uid_map", err)
	}
}
