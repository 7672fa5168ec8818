package cmd

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

// readBefore reads the older reports, and refuses a file without those of the
// nodes that were named.
func (o *mountsOptions) readBefore() error {
	items, err := saved.ReadAll(o.diff, o.streams.In)
	if err != nil {
		return fmt.Errorf("--diff: %w", err)
	}
	o.before = map[string]nodeMounts{}
	for _, item := range items {
		n := correlate.Join(item.Report, item.Inventory)
		if o.before[n.Name()], err = o.reduce(n); err != nil {
			return fmt.Errorf("--diff: %s: %w", n.Name(), err)
		}
	}
	for _, node := range o.nodes {
		if _, ok := o.before[node]; !ok {
			return fmt.Errorf("--diff: %q has no report of %s, but of %s", o.diff, node, names(slices.Sorted(maps.Keys(o.before))))
		}
	}
	return nil
}

// volumeKey tells volumes of one node apart in two reports.
type volumeKey struct{ name, driver, handle, number string }

func keyOf(v *correlate.Volume) volumeKey {
	k := volumeKey{name: v.Name, driver: v.Driver, handle: v.Handle}
	if v.Handle == "" && len(v.Mounts) > 0 { // volumes of different pods may have one name
		k.number = v.Mounts[0].Number
	}
	return k
}

// sameVolumes gives each earlier volume its place among the later ones, -1 where
// it is not there. Driver and handle may be known by the API server only, which
// may have forgotten the volume since: then its name and a mount point tell.
func sameVolumes(before, now []correlate.Volume) []int {
	type place struct{ name, point string }
	byKey, byPlace := map[volumeKey]int{}, map[place]int{}
	for i := range now {
		byKey[keyOf(&now[i])] = i
		for k := range now[i].Mounts {
			byPlace[place{now[i].Name, now[i].Mounts[k].Point}] = i
		}
	}
	same, taken := make([]int, len(before)), make([]bool, len(now))
	for i := range before {
		same[i] = -1
		if at, ok := byKey[keyOf(&before[i])]; ok && !taken[at] {
			same[i], taken[at] = at, true
		}
	}
	for i := range before {
		for k := 0; same[i] < 0 && k < len(before[i].Mounts); k++ {
			if at, ok := byPlace[place{before[i].Name, before[i].Mounts[k].Point}]; ok && !taken[at] {
				same[i], taken[at] = at, true
			}
		}
	}
	return same
}

// compareMounts says what has become of the leaked volumes.
func compareMounts(before, now nodeMounts) *printer.MountsDiff {
	d := &printer.MountsDiff{Before: printer.TotalsOf(&before.mounts), Now: printer.TotalsOf(&now.mounts),
		Rebooted: before.is.BootID != "" && now.is.BootID != "" && before.is.BootID != now.is.BootID,
		Gone:     []printer.VolumeChange{}, New: []printer.VolumeChange{}, Left: []printer.VolumeChange{}}
	if before.is.Now > 0 {
		d.Since = new(time.Unix(before.is.Now, 0).UTC())
	}
	earlier := make([]*correlate.Volume, len(now.mounts.Volumes))
	for i, at := range sameVolumes(before.mounts.Volumes, now.mounts.Volumes) {
		v := &before.mounts.Volumes[i]
		var then *correlate.Volume
		if at >= 0 {
			then, earlier[at] = &now.mounts.Volumes[at], v
		}
		if printer.IsLeaked(*v) {
			addEarlier(d, v, then)
		}
	}
	for i := range now.mounts.Volumes {
		v, was := &now.mounts.Volumes[i], earlier[i]
		if !printer.IsLeaked(*v) || was != nil && printer.IsLeaked(*was) {
			continue
		}
		c := change(v, 0, v.Leaked)
		if was != nil {
			c.Was = was.State
		}
		d.New = append(d.New, c)
	}
	return d
}

// addEarlier adds a volume that was leaked; then is what it is now, nil: it is not
// mounted any more.
func addEarlier(d *printer.MountsDiff, v, then *correlate.Volume) {
	switch {
	case then == nil:
		d.Gone = append(d.Gone, change(v, v.Leaked, 0))
	case printer.IsLeaked(*then):
		c := change(then, v.Leaked, then.Leaked)
		if then.State != v.State {
			c.State = then.State
		}
		d.Left = append(d.Left, c)
	default:
		c := change(v, v.Leaked, 0)
		if c.State = then.State; then.State == correlate.VolumeUnknown {
			d.Unknown = append(d.Unknown, c)
		} else {
			d.Gone = append(d.Gone, c)
		}
	}
}

func change(v *correlate.Volume, before, now int) printer.VolumeChange {
	c := printer.VolumeChange{Name: v.Name, Driver: cmp.Or(v.Driver, v.Type), Device: printer.DeviceName(*v), Before: before, Now: now}
	for _, r := range v.Reasons {
		if !slices.Contains(c.Why, r.Reason) {
			c.Why = append(c.Why, r.Reason)
		}
	}
	return c
}

// onlyBefore are the nodes of the older reports that are not among those that were
// asked, where nobody said which.
func (o *mountsOptions) onlyBefore(nodes []printer.MountsNode) []printer.MountsNode {
	if o.diff == "" || len(o.nodes) > 0 {
		return nil
	}
	var gone []printer.MountsNode
	for _, name := range slices.Sorted(maps.Keys(o.before)) {
		if !slices.ContainsFunc(nodes, func(n printer.MountsNode) bool { return n.Node == name }) {
			gone = append(gone, printer.MountsNode{Node: name, State: printer.NodeSkipped, Reason: "in the older report, and not asked now"})
		}
	}
	return gone
}
