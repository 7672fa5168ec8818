//go:build linux

package probe

import (
	"context"
	"sort"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

const (
	// reserve is the part of the deadline that is left for the rest: what is
	// not looked into by then is named, and the report stands.
	reserve = 15 * time.Second
	// lightLinks are read in all of processes that are not looked into.
	lightLinks = 60_000
)

// lookInto finds out what the descriptors are: links first, then the tables
// that tell sockets apart, then whoever is at their other end.
func (t *table) lookInto(ctx context.Context) {
	if end, bounded := ctx.Deadline(); bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-reserve))
		defer cancel()
	}
	budget := classifiedLinks
	if t.req.AllFDs {
		budget = everyLink
	}
	t.classify(ctx, budget)
	t.sockets.explain(ctx, t.eachUserPID)
	if t.first != nil {
		t.skim(ctx, lightLinks)
	}
	t.sockets.fill(t)
}

func (t *table) eachUserPID(yield func(pid int) bool) {
	for _, p := range t.out.List {
		if !p.Kernel && p.State != "Z" && !yield(p.PID) {
			return
		}
	}
}

// skim reads the links of the other processes, the lightest first, for two
// things that are not only found where descriptors pile up: inotify instances,
// whose limit is one per user, and the far ends of unix sockets.
func (t *table) skim(ctx context.Context, budget int) {
	wanted := map[uint32]bool{}
	for _, inode := range t.sockets.strangers() {
		wanted[inode] = true
	}
	for _, i := range t.lightestFirst() {
		p := &t.out.List[i]
		const what = "/proc/PID/fd/* for inotify and unix sockets"
		if ctx.Err() != nil {
			t.bad.add(what, errNoTime)
			continue
		}
		if budget -= p.FDs.Count; budget < 0 {
			t.bad.add(what, errTooMany)
			continue
		}
		err := t.proc.EachFD(p.PID, func(fd, link []byte) bool {
			if inode, ok := hostfs.SocketInode(link); ok && wanted[inode] {
				t.sockets.unix.owners[inode] = int32(i)
			} else if !ok && hostfs.IsInotify(link) {
				t.addInotify(p, fd)
			}
			return true
		})
		if err != nil {
			t.failed("fd", err, false)
		}
	}
}

func (t *table) lightestFirst() []int {
	var order []int
	for i, p := range t.out.List {
		if p.FDs != nil && p.FDs.Count > 0 && !t.classified[i] {
			order = append(order, i)
		}
	}
	sort.SliceStable(order, func(a, b int) bool {
		return t.out.List[order[a]].FDs.Count < t.out.List[order[b]].FDs.Count
	})
	return order
}
