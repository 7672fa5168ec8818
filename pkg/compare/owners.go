package compare

import (
	"cmp"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// Owner is one owner's share of something in both reports. Before is absent where the
// owner came in between, After where it is gone.
type Owner struct {
	What  string          `json:"what"` // descriptors, memory, threads, mounts, pages of pipes
	Owner correlate.Owner `json:"owner"`
	Delta
}

// held is what owners have of one thing.
type held struct {
	what, unit string
	section    section
	// least change that says something, of what all nodes do all the time.
	least uint64
	of    func(*correlate.Node) map[correlate.Owner]amount
}

// amount with the owner's whole name.
type amount struct {
	owner correlate.Owner
	value uint64
}

// owners that have more or less than before: the largest change first, of each thing
// by itself.
func owners(before, after *correlate.Node, s sections, by correlate.By, seconds float64) []Owner {
	out := []Owner{}
	for _, h := range heldThings(by) {
		if !s.both[h.section] {
			continue
		}
		list := h.compare(h.of(before), h.of(after), seconds)
		slices.SortFunc(list, func(a, b Owner) int {
			return cmp.Or(cmp.Compare(b.weight(), a.weight()), cmp.Compare(a.Owner.Name(), b.Owner.Name()), cmp.Compare(a.Owner.PodUID, b.Owner.PodUID))
		})
		out = append(out, list...)
	}
	return out
}

// weight is how much it has changed; who came or went, by all that it has.
func (o Owner) weight() uint64 {
	switch {
	case o.Before == nil:
		return *o.After
	case o.After == nil:
		return *o.Before
	}
	return max(*o.Before, *o.After) - min(*o.Before, *o.After)
}

// Grew says whether an owner has more than before.
func (o Owner) Grew() bool { return o.Before == nil || o.Change > 0 }

func (h held) compare(before, after map[correlate.Owner]amount, seconds float64) []Owner {
	var out []Owner
	add := func(owner correlate.Owner, then, now *uint64) {
		o := Owner{What: h.what, Owner: owner, Delta: deltaOf(then, now, h.unit, seconds)}
		if o.weight() >= h.least {
			out = append(out, o)
		}
	}
	for k, now := range after {
		if then, there := before[k]; there {
			add(now.owner, &then.value, &now.value)
		} else {
			add(now.owner, nil, &now.value)
		}
	}
	for k, then := range before {
		if _, there := after[k]; !there {
			add(then.owner, &then.value, nil)
		}
	}
	return out
}

// gather sums by what of an owner lasts.
func gather[Row any](rows []Row, of func(Row) (correlate.Owner, uint64)) map[correlate.Owner]amount {
	out := map[correlate.Owner]amount{}
	for _, r := range rows {
		owner, value := of(r)
		k := lasting(owner)
		out[k] = amount{owner: owner, value: out[k].value + value}
	}
	return out
}

func heldThings(by correlate.By) []held {
	return []held{
		{"descriptors", "", descriptors, 1, func(n *correlate.Node) map[correlate.Owner]amount {
			return gather(n.RankFDs(by).Rows, func(r correlate.FDRow) (correlate.Owner, uint64) { return r.Owner, uint64(max(r.Descriptors, 0)) })
		}},
		{"memory", "bytes", memory, 1 << 20, func(n *correlate.Node) map[correlate.Owner]amount {
			return gather(n.Memory(correlate.MemoryOptions{By: by}).Rows, func(r correlate.MemoryRow) (correlate.Owner, uint64) { return r.Owner, r.WorkingSet })
		}},
		{"threads", "", tasks, 1, func(n *correlate.Node) map[correlate.Owner]amount {
			return gather(n.Tasks(correlate.TaskOptions{By: by}).Rows, func(r correlate.TaskRow) (correlate.Owner, uint64) { return r.Owner, uint64(max(r.Tasks, 0)) })
		}},
		{"mounts", "", mounts, 1, mountsByOwner},
		{"pages of pipes", "", pipes, 1, func(n *correlate.Node) map[correlate.Owner]amount {
			return gather(n.Pipes(correlate.PipeOptions{By: by}).Rows, func(r correlate.PipeRow) (correlate.Owner, uint64) { return r.Owner, r.Pages })
		}},
	}
}

// mountsByOwner are those of the host's namespace; what is nobody's is left out.
func mountsByOwner(n *correlate.Node) map[correlate.Owner]amount {
	var rows []correlate.MountCount
	for _, c := range n.Mounts().ByOwner {
		if c.Owner != nil {
			rows = append(rows, c)
		}
	}
	return gather(rows, func(c correlate.MountCount) (correlate.Owner, uint64) { return *c.Owner, uint64(max(c.Mounts, 0)) })
}
