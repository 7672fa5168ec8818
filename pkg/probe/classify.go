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
	classifiedLinks   = 400_000 // in all
	maxPatterns       = 512     // distinct ones per process while counting
	maxTargets        = 8       // reported per process
	maxSessions       = 65_536  // distinct exec sessions counted per container
)

var errTooMany = errors.New("too many, the rest is left out")

func (t *table) classify(ctx context.Context, budget int) {
	for _, i := range t.heaviestFirst() {
		p := &t.out.List[i]
		asked := t.asked.processes[p.PID] != nil
		switch {
		case ctx.Err() != nil, budget <= 0 && !asked:
			t.bad.add("/proc/PID/fd/*", errTooMany)
		case asked:
			t.classifyProcess(p, classifiedLinks)
		default:
			// The heaviest of all may be over the budget by itself, and is the
			// one to look into: its first links tell what it piles up.
			budget -= t.classifyProcess(p, budget)
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
	for _, i := range ranked[:min(classifiedCgroups, len(ranked))] {
		heavy[i] = true
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

// fifoSessions counts the exec sessions of one container.
type fifoSessions struct {
	sessions map[string]bool
	init     bool
}

// classifyProcess reads the links of p, most at most, and says how many.
func (t *table) classifyProcess(p *report.Process, most int) (read int) {
	kinds := map[string]int{}
	targets := map[report.Target]int{}
	fifos := map[string]*fifoSessions{}
	err := t.proc.EachFD(p.PID, func(link []byte) bool {
		if read == most {
			t.bad.add("/proc/PID/fd/*", errTooMany)
			return false
		}
		read++
		l := hostfs.ParseFDLink(string(link))
		kinds[l.Kind]++
		key := report.Target{Kind: l.Kind, Pattern: l.Pattern}
		if l.FIFO != nil {
			key.ContainerID = l.FIFO.ContainerID
			countSession(fifos, l.FIFO)
		}
		if _, known := targets[key]; !known && len(targets) >= maxPatterns {
			key = report.Target{Kind: l.Kind, Pattern: "other"}
		}
		targets[key]++
		return true
	})
	if err != nil {
		t.failed("fd", err, false)
		return read
	}
	for name, n := range kinds {
		p.FDs.Kinds = append(p.FDs.Kinds, report.Counted{Name: report.Escape(name), Count: n})
	}
	sortCounted(p.FDs.Kinds)
	p.FDs.Targets = topTargets(targets, fifos)
	return read
}

func countSession(fifos map[string]*fifoSessions, f *hostfs.StdioFIFO) {
	s := fifos[f.ContainerID]
	if s == nil {
		s = &fifoSessions{sessions: map[string]bool{}}
		fifos[f.ContainerID] = s
	}
	switch {
	case f.Init:
	case len(s.sessions) < maxSessions:
		s.sessions[f.Session] = true
		// Under containerd's CRI one of them may be the container's own.
		s.init = s.init || !f.Exec
	}
}

func (s *fifoSessions) execs() int {
	n := len(s.sessions)
	if s.init && n > 0 {
		n--
	}
	return n
}

func topTargets(targets map[report.Target]int, fifos map[string]*fifoSessions) []report.Target {
	list := make([]report.Target, 0, len(targets))
	for key, n := range targets {
		key.Count = n
		if s := fifos[key.ContainerID]; s != nil && key.Kind == "FIFO" {
			key.Execs = s.execs()
		}
		key.Kind, key.Pattern = report.Escape(key.Kind), report.Escape(key.Pattern)
		list = append(list, key)
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		return cmp.Or(b.Count-a.Count, cmp.Compare(a.Pattern, b.Pattern),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ContainerID, b.ContainerID)) < 0
	})
	return list[:min(maxTargets, len(list))]
}
