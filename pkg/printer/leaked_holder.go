package printer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// holderKey tells holders apart: the pods of one workload are one, on however
// many nodes. The zero key is nobody.
type holderKey struct{ namespace, who, container, entry string }

func keyOfHolder(h *correlate.Holder) holderKey {
	o := h.Owner
	k := holderKey{namespace: o.Namespace, who: o.Name(), container: containerCell(o), entry: h.Entry}
	if o.Type == correlate.OwnerPod && o.Workload != "" {
		k.who = o.Workload
	}
	if h.Via != nil {
		k.entry = h.Via.MountPath
	}
	return k
}

// holderGroup are volumes that one holder has, each in one group only.
type holderGroup struct {
	key     holderKey
	sample  *correlate.Holder
	owners  []string // pods, by name
	volumes []correlate.Volume
}

// groupByHolder gives each volume to that of its holders which has most of them all.
func groupByHolder(volumes []correlate.Volume) []*holderGroup {
	held := map[holderKey]int{}
	for _, v := range volumes {
		seen := map[holderKey]bool{}
		for _, h := range v.Holders {
			if k := keyOfHolder(h); !seen[k] {
				seen[k] = true
				held[k]++
			}
		}
	}
	groups := map[holderKey]*holderGroup{}
	var order []*holderGroup
	for _, v := range volumes {
		var key holderKey
		var main *correlate.Holder
		for i := range v.Holders {
			if k := keyOfHolder(v.Holders[i]); main == nil || held[k] > held[key] {
				key, main = k, v.Holders[i]
			}
		}
		g := groups[key]
		if g == nil {
			g = &holderGroup{key: key, sample: main}
			groups[key] = g
			order = append(order, g)
		}
		if main != nil && !slices.Contains(g.owners, main.Owner.Name()) {
			g.owners = append(g.owners, main.Owner.Name())
		}
		g.volumes = append(g.volumes, v)
	}
	slices.SortStableFunc(order, func(a, b *holderGroup) int {
		if a.sample == nil || b.sample == nil { // nobody comes last
			return cmp.Compare(nobody(a), nobody(b))
		}
		return cmp.Compare(len(b.volumes), len(a.volumes))
	})
	return order
}

func nobody(g *holderGroup) int {
	if g.sample == nil {
		return 1
	}
	return 0
}

// head is the line above a group's table.
func (g *holderGroup) head(s Style) string {
	count := g.count()
	if g.sample == nil {
		return count + ", " + s.bold()("mounted in the host's namespace only")
	}
	who := holderTitle(g.sample.Owner)
	if len(g.owners) > 1 {
		who = fmt.Sprintf("%s in %s on %s", g.key.who, g.key.namespace, english.Plural(len(g.owners), "pod", ""))
		if g.key.container != "" {
			who += ", container " + g.key.container
		}
	}
	return fmt.Sprintf("%s held by %s, %s", count, severityPaint(diagnose.Warning, s)(who), viaText(g.sample))
}

// count tells volumes in use, of which a part of the mounts is leaked, from others.
func (g *holderGroup) count() string {
	whole := 0
	for i := range g.volumes {
		if g.volumes[i].State == correlate.VolumeLeaked {
			whole++
		}
	}
	text, parts := english.Plural(whole, "leaked volume", ""), len(g.volumes)-whole
	switch {
	case whole == 0:
		text = "leaked mounts of " + english.Plural(parts, "volume", "") + " in use"
	case parts > 0:
		text += fmt.Sprintf(" and leaked mounts of %s in use", comma(parts))
	}
	return text
}

// holderTitle is "kube-system/log-x (DaemonSet/log), container log".
func holderTitle(o correlate.Owner) string {
	text := ownerCell(o)
	if o.Workload != "" && o.Type == correlate.OwnerPod {
		text += " (" + o.Workload + ")"
	}
	if c := containerCell(o); c != "" {
		text += ", container " + c
	}
	return text
}

// viaText is how it came in: "volumeMount /host (hostPath /, HostToContainer)".
func viaText(h *correlate.Holder) string {
	if h.Via == nil {
		return "at " + h.Entry
	}
	var facts []string
	if h.Via.HostPath != "" {
		facts = append(facts, "hostPath "+h.Via.HostPath)
	} else if h.Via.Volume != "" {
		facts = append(facts, "volume "+h.Via.Volume)
	}
	if h.Via.Propagation != "" {
		facts = append(facts, h.Via.Propagation)
	}
	text := "volumeMount " + h.Via.MountPath
	if len(facts) > 0 {
		text += " (" + strings.Join(facts, ", ") + ")"
	}
	return text
}
