//go:build linux

package probe

import (
	"cmp"
	"context"
	"errors"
	"sort"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Reading every link of a node with 200,000 descriptors costs most of a second;
// counting them costs nothing. So the heaviest cgroups are looked into, and
// every process that the request names.
const (
	classifiedCgroups = 48
	classifiedLinks   = 400_000   // in all
	everyLink         = 2_000_000 // in all, where every process is asked for
	maxTexts          = 4096      // distinct ones held per process while counting
	maxPatterns       = 512       // distinct ones per process
	maxTargets        = 8         // reported per process
	maxTargetsAsked   = 200       // and of a requested one
)

var errTooMany = errors.New("too many, the rest is left out")

func (t *table) classify(ctx context.Context, budget int) {
	t.classified = make([]bool, len(t.out.List))
	if t.req.FileTypes {
		t.types = newFileTypes(t.fs, t.info, t.bad)
		defer func() { t.out.FileTypes = t.types.finish() }()
	}
	for _, i := range t.heaviestFirst() {
		asked := t.asked.processes[t.out.List[i].PID] != nil
		switch {
		case ctx.Err() != nil:
			t.bad.add("/proc/PID/fd/*", errNoTime)
		case budget <= 0 && !asked:
			t.bad.add("/proc/PID/fd/*", errTooMany)
		case asked:
			t.classifyProcess(i, everyLink)
		default:
			// The heaviest of all may be over the budget by itself, and is the
			// one to look into: its first links tell what it piles up.
			budget -= t.classifyProcess(i, budget)
		}
	}
}

// heaviestFirst are the indexes of the processes to look into.
func (t *table) heaviestFirst() []int {
	perCgroup := make([]int, len(t.out.Cgroups)+1)
	for _, p := range t.out.List {
		if p.FDs != nil {
			perCgroup[p.Cgroup+1] += p.FDs.Count
		}
	}
	ranked := make([]int, len(perCgroup))
	for i := range ranked {
		ranked[i] = i
	}
	sort.SliceStable(ranked, func(i, j int) bool { return perCgroup[ranked[i]] > perCgroup[ranked[j]] })
	heavy := make([]bool, len(perCgroup))
	for n, i := range ranked {
		heavy[i] = t.first != nil && (n < classifiedCgroups || t.req.AllFDs)
	}
	var order []int
	for i, p := range t.out.List {
		if p.FDs != nil && (heavy[p.Cgroup+1] || t.asked.processes[p.PID] != nil) {
			order = append(order, i)
		}
	}
	sort.SliceStable(order, func(i, j int) bool {
		return t.out.List[order[i]].FDs.Count > t.out.List[order[j]].FDs.Count
	})
	return order
}

// links sums up the descriptors of one process.
type links struct {
	// texts are those seen and not yet classified, in the order of their first
	// appearance; index finds them.
	texts   []report.Counted
	index   map[string]int
	kinds   map[string]int
	targets map[report.Target]int // Count is 0 in the keys
	fifos   map[string]*stdioFIFOs
}

// classifyProcess reads the links of process i, most at most, and says how many.
func (t *table) classifyProcess(i, most int) (read int) {
	p := &t.out.List[i]
	t.classified[i] = true
	sum := links{index: map[string]int{}, kinds: map[string]int{}, targets: map[report.Target]int{}, fifos: map[string]*stdioFIFOs{}}
	asked := t.asked.processes[p.PID] != nil
	look := t.info.wants(p, asked)
	typed := t.types != nil && (asked || len(t.req.PIDs) == 0)
	sockets := len(t.sockets.held)
	err := t.proc.EachFD(p.PID, func(fd, link []byte) bool {
		if read == most {
			t.bad.add("/proc/PID/fd/*", errTooMany)
			return false
		}
		read++
		if inode, ok := hostfs.SocketInode(link); ok {
			t.sockets.hold(i, inode)
			return true
		}
		switch {
		case hostfs.IsInotify(link):
			t.addInotify(p, fd)
		case typed && hostfs.MayHaveType(link):
			link = t.types.tell(p.PID, fd, link)
		case look && mayBeDirectory(link) && t.info.isDirectory(p.PID, fd):
			link = hostfs.WithType(link, hostfs.TypeDirectory)
		}
		sum.count(link)
		return true
	})
	if err != nil {
		t.failed("fd", err, false)
		t.sockets.held = t.sockets.held[:sockets]
		return read
	}
	if len(t.sockets.held) > sockets {
		t.sockets.addNamespace(p.PID)
	}
	sum.classify()
	p.FDs.Kinds, p.FDs.Targets, p.FDs.ExecFIFOs = sum.topKinds(), sum.topTargets(t.mostTargets(p)), sum.execFIFOs()
	return read
}

func (t *table) mostTargets(p *report.Process) int {
	if t.asked.processes[p.PID] != nil {
		return maxTargetsAsked
	}
	return maxTargets
}

// count notes one link. Most of those of a process say the same but for an
// inode's number, so what each text means is found out once, by classify.
func (s *links) count(link []byte) {
	text := hostfs.WithoutInode(link)
	i, known := s.index[string(text)] // no allocation: the compiler knows this form
	if !known {
		if len(s.texts) == maxTexts {
			s.classify()
		}
		i = len(s.texts)
		s.texts = append(s.texts, report.Counted{Name: string(text)})
		s.index[s.texts[i].Name] = i
	}
	s.texts[i].Count++
}

// classify adds what was counted to the sums.
func (s *links) classify() {
	for _, text := range s.texts {
		s.add(hostfs.ParseFDLink(text.Name), text.Count)
	}
	s.texts = s.texts[:0]
	clear(s.index)
}

func (s *links) add(l hostfs.FDLink, n int) {
	s.kinds[l.Kind] += n
	key := report.Target{Kind: l.Kind, Pattern: l.Pattern}
	if _, known := s.targets[key]; !known && len(s.targets) >= maxPatterns {
		key.Pattern = "other"
	}
	s.targets[key] += n
	if l.FIFO != nil {
		s.addFIFO(l, n)
	}
}

func (s *links) topKinds() []report.Counted {
	list := make([]report.Counted, 0, len(s.kinds))
	for name, n := range s.kinds {
		list = append(list, report.Counted{Name: report.Escape(name), Count: n})
	}
	sortKinds(list)
	return list
}

func sortKinds(list []report.Counted) {
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		return cmp.Or(b.Count-a.Count, cmp.Compare(a.Name, b.Name)) < 0
	})
}

func (s *links) topTargets(most int) []report.Target {
	list := make([]report.Target, 0, len(s.targets))
	for key, n := range s.targets {
		list = append(list, report.Target{Kind: report.Escape(key.Kind), Pattern: report.Escape(key.Pattern), Count: n})
	}
	sortTargets(list)
	return list[:min(most, len(list))]
}

func sortTargets(list []report.Target) {
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		return cmp.Or(b.Count-a.Count, cmp.Compare(a.Pattern, b.Pattern), cmp.Compare(a.Kind, b.Kind)) < 0
	})
}
