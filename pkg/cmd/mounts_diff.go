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

func keyOf(v correlate.Volume) volumeKey {
	k := volumeKey{name: v.Name, driver: v.Driver, handle: v.Handle}
	if v.Handle == "" && len(v.Mounts) > 0 { // volumes of different pods may have one name
		k.number = v.Mounts[0].Number
	}
	return k
}

// compareMounts says what has become of the leaked volumes.
func compareMounts(before, now nodeMounts) *printer.MountsDiff {
	d := &printer.MountsDiff{Before: printer.TotalsOf(&before.mounts), Now: printer.TotalsOf(&now.mounts),
		Rebooted: before.is.BootID != "" && now.is.BootID != "" && before.is.BootID != now.is.BootID,
		Gone:     []printer.VolumeChange{}, New: []printer.VolumeChange{}, Left: []printer.VolumeChange{}}
	if before.is.Now > 0 {
		d.Since = new(time.Unix(before.is.Now, 0).UTC())
	}
	later := map[volumeKey]correlate.Volume{}
	for _, v := range now.mounts.Volumes {
		later[keyOf(v)] = v
	}
	earlier := map[volumeKey]bool{}
	for _, v := range before.mounts.Volumes {
		if !printer.IsLeaked(v) {
			continue
		}
		earlier[keyOf(v)] = true
		then, there := later[keyOf(v)]
		if there && printer.IsLeaked(then) {
			d.Left = append(d.Left, change(then, v.Leaked, then.Leaked))
			continue
		}
		c := change(v, v.Leaked, 0)
		if there {
			c.State = then.State
		}
		d.Gone = append(d.Gone, c)
	}
	for _, v := range now.mounts.Volumes {
		if printer.IsLeaked(v) && !earlier[keyOf(v)] {
			d.New = append(d.New, change(v, 0, v.Leaked))
		}
	}
	return d
}

func change(v correlate.Volume, before, now int) printer.VolumeChange {
	c := printer.VolumeChange{Name: v.Name, Driver: cmp.Or(v.Driver, v.Type), Device: printer.DeviceName(v), Before: before, Now: now}
	for _, r := range v.Reasons {
		c.Why = append(c.Why, r.Reason)
	}
	return c
}
