package unmount

import (
	"cmp"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// mount is one to unmount, with the volume that it is of.
type mount struct {
	correlate.VolumeMount
	volume *correlate.Volume
	at     int // its place in the mount table
	// apart is what it is mounted on, where that must leave its peer group before.
	apart *mount
	// left: its umount would take along what is to stay.
	left bool
}

// turn orders the kinds of mounts: a copy keeps what it is a copy of busy, and a
// pod's bind mount the staging mount's device.
func (m mount) turn() int {
	switch {
	case m.Copy != nil:
		return 0
	case m.Staging:
		return 2
	}
	return 1
}

// order is that in which the leaked mounts can go: by their turn, the last one
// mounted first, as it may hide what was mounted before; and whatever these say,
// each after all that is mounted upon it.
func order(volumes []correlate.Volume, table []report.Mount) []mount {
	place := make(map[int]int, len(table))
	for i, m := range table {
		place[m.ID] = i
	}
	var all []mount
	for i := range volumes {
		for _, m := range volumes[i].Mounts {
			if m.Leaked {
				all = append(all, mount{VolumeMount: m, volume: &volumes[i], at: place[m.ID]})
			}
		}
	}
	keepApart(all, table)
	slices.SortStableFunc(all, func(a, b mount) int {
		return cmp.Or(cmp.Compare(a.turn(), b.turn()), cmp.Compare(b.at, a.at))
	})
	upon := map[int][]int{} // by the id of the mount below, in the order above
	for i, m := range all {
		if m.Parent != m.ID {
			upon[m.Parent] = append(upon[m.Parent], i)
		}
	}
	return withUpon(all, upon)
}

// withUpon puts what is mounted upon a mount before it. A report may claim
// anything: nobody is taken twice, and its depth costs no stack.
func withUpon(all []mount, upon map[int][]int) []mount {
	taken := make([]bool, len(all))
	var ordered []mount
	for i := range all {
		var chain []int // mounts that wait for those upon them
		for next := []int{i}; len(next) > 0; {
			at := next[len(next)-1]
			next = next[:len(next)-1]
			if taken[at] {
				continue
			}
			taken[at] = true
			chain = append(chain, at)
			next = append(next, upon[all[at].ID]...)
		}
		// Each came after the one that it is mounted upon.
		for _, at := range slices.Backward(chain) {
			ordered = append(ordered, all[at])
		}
	}
	return ordered
}
