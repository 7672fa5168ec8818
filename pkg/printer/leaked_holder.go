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
	// dead are the containers whose root directories these stand below.
	dead []correlate.Owner
}

// isRoot: no volume, but the copies of the node's own directories below the root of
// a dead container.
func isRoot(v correlate.Volume) bool { return v.Container != nil && len(v.Holders) == 0 }

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
		if isRoot(v) {
			continue
		}
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
		if main != nil && main.Why != "" {
			dead := main.Owner
			dead.Workload = ""
			g.dead = append(g.dead, dead)
		}
		g.volumes = append(g.volumes, v)
	}
	order = addRoots(order, volumes)
	slices.SortStableFunc(order, func(a, b *holderGroup) int {
		if a.sample == nil || b.sample == nil { // nobody comes last
			return cmp.Compare(nobody(a), nobody(b))
		}
		return cmp.Compare(len(b.volumes), len(a.volumes))
	})
	return order
}

// addRoots puts the root directories of dead containers with the volumes that have
// copies there, else in groups of their own.
func addRoots(groups []*holderGroup, volumes []correlate.Volume) []*holderGroup {
	for _, v := range volumes {
		if !isRoot(v) {
			continue
		}
		owner := *v.Container
		owner.Workload = ""
		at := slices.IndexFunc(groups, func(g *holderGroup) bool { return slices.Contains(g.dead, owner) })
		if at < 0 {
			at = len(groups)
			groups = append(groups, &holderGroup{sample: &correlate.Holder{Owner: owner}, dead: []correlate.Owner{owner}})
		}
		groups[at].volumes = append(groups[at].volumes, v)
	}
	return groups
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
	who = severityPaint(diagnose.Warning, s)(who)
	if count == "" {
		return "leaked mounts below the root directory of " + who
	}
	return fmt.Sprintf("%s held by %s, %s", count, who, viaText(g.sample))
}

// count tells volumes of which a part of the mounts is leaked from others; "" where
// there are no volumes.
func (g *holderGroup) count() string {
	whole, used, unknown := 0, 0, 0
	for i := range g.volumes {
		switch v := &g.volumes[i]; {
		case isRoot(*v):
		case v.State == correlate.VolumeLeaked:
			whole++
		case v.State == correlate.VolumeUnknown:
			unknown++
		default:
			used++
		}
	}
	state := "in use"
	switch {
	case used == 0:
		state = "unknown"
	case unknown > 0:
		state += " or unknown"
	}
	switch parts := used + unknown; {
	case parts == 0 && whole == 0:
		return ""
	case parts == 0:
		return english.Plural(whole, "leaked volume", "")
	case whole == 0:
		return "leaked mounts of " + english.Plural(parts, "volume", "") + " " + state
	default:
		return english.Plural(whole, "leaked volume", "") + " and leaked mounts of " + comma(parts) + " " + state
	}
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
