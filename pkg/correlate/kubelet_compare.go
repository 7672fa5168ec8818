package correlate

import (
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// compare sets the node's daemons beside their neighbours.
func (n *Node) compare(k *NodeKubelet, from *inventory.Kubelets) {
	k.Neighbours = NeighbourUses{List: from.Neighbours, Of: from.Others, Asked: true, Error: from.NeighboursError}
	if k.Neighbours.List == nil {
		k.Neighbours.List = []inventory.KubeletSelf{}
	}
	own := from.Own
	if own == nil {
		own = &inventory.KubeletSelf{}
	}
	if own.Error != "" {
		k.Gaps = append(k.Gaps, report.Unreadable{What: "metrics of the kubelet", Cause: own.Error})
	}
	if len(k.Daemons) == 0 && (own.CPUPercent != nil || own.RSSBytes != nil) { // nobody was on the node
		d := Daemon{Name: kubeletName, CPUPercent: own.CPUPercent, SampleMillis: own.SampleMillis, RSSBytes: own.RSSBytes}
		if own.OpenFDs != nil {
			fds := int(*own.OpenFDs)
			d.FDs = &fds
		}
		k.Daemons = append(k.Daemons, d)
	}
	runtime := own.Runtime
	for i := range k.Daemons {
		d := &k.Daemons[i]
		if d.Name == kubeletName {
			d.CPU = comparison(d.CPUPercent, from.Neighbours, func(s inventory.KubeletSelf) *float64 { return s.CPUPercent })
			d.Memory = comparison(float(d.RSSBytes), from.Neighbours, func(s inventory.KubeletSelf) *float64 { return float(s.RSSBytes) })
		} else if runtime != nil { // one cgroup: the first of its daemons stands for it
			d.CPU = comparison(runtime.CPUPercent, from.Neighbours, func(s inventory.KubeletSelf) *float64 { return ofRuntime(s).CPUPercent })
			d.Memory = comparison(float(runtime.RSSBytes), from.Neighbours, func(s inventory.KubeletSelf) *float64 { return float(ofRuntime(s).RSSBytes) })
			runtime = nil
		}
	}
	if from.ProfileError != "" {
		k.ProfileError = from.ProfileError
	} else if len(from.Profile) > 0 {
		profile, err := readProfile(from.Profile)
		if k.Profile = profile; err != nil {
			k.ProfileError = report.Escape(err.Error())
		}
	}
}

func ofRuntime(s inventory.KubeletSelf) inventory.SystemContainer {
	if s.Runtime == nil {
		return inventory.SystemContainer{}
	}
	return *s.Runtime
}

func float(n *uint64) *float64 {
	if n == nil {
		return nil
	}
	f := float64(*n)
	return &f
}

// comparison is nil where either side is not known.
func comparison(own *float64, neighbours []inventory.KubeletSelf, of func(inventory.KubeletSelf) *float64) *Comparison {
	if own == nil {
		return nil
	}
	var all []float64
	for _, s := range neighbours {
		if v := of(s); v != nil {
			all = append(all, *v)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	c := &Comparison{Own: *own, Of: len(all), Median: (all[len(all)/2] + all[(len(all)-1)/2]) / 2}
	if c.Median > 0 {
		c.Ratio = c.Own / c.Median
	}
	return c
}
