package diagnose

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// oomByWhat is whose limit it was.
func oomByWhat(v correlate.OOMVictim) string {
	of := ""
	if v.Kill.Limit != nil {
		of = " of " + size(*v.Kill.Limit)
	}
	switch v.Scope {
	case correlate.ScopeContainer:
		return "at its own memory limit" + of
	case correlate.ScopePod:
		return "at its pod's memory limit" + of
	case correlate.ScopePods:
		return "since all pods together reached what the node has for them" + strings.Replace(of, " of", ",", 1)
	case correlate.ScopeCgroup:
		if v.Kill.LimitCgroup != "" {
			return "at the memory limit" + of + " of cgroup " + v.Kill.LimitCgroup
		}
		return "at a cgroup's memory limit" + of
	}
	if v.Limit > 0 {
		return "(its container's limit is " + size(v.Limit) + ")"
	}
	return "(whose limit it was, nobody says)"
}

func oomProcess(v correlate.OOMVictim) string {
	switch {
	case v.Comm == "":
		return "a process"
	case v.Kill.PID == 0:
		return v.Comm
	}
	return fmt.Sprintf("process %d (%s)", v.Kill.PID, v.Comm)
}

// oomEvidence is about the newest of its kills.
func oomEvidence(n *correlate.Node, v correlate.OOMVictim) []string {
	text := oomProcess(v)
	if v.Scope == correlate.ScopeNode {
		text += " of " + Title(v.Owner)
	}
	text += oomHad(v.Kill)
	if v.Last != nil {
		text += ", killed at " + v.Last.In(n.Zone()).Format("2006-01-02 15:04:05 MST")
	}
	if v.Kills > 1 {
		text += fmt.Sprintf("; %d kills", v.Kills)
		if v.First != nil && v.Last != nil && v.Last.After(*v.First) {
			text += " in " + v.Last.Sub(*v.First).Round(time.Second).String()
		}
	}
	switch {
	case v.APIOnly:
		text += "; the API server says so, the kernel's log does not have it (any more)"
	case v.API:
		text += "; its status says OOMKilled, too"
	}
	if v.Owner.Type == correlate.OwnerPod && v.Owner.Pod == "" && n.EventsAreGone(v.Owner.PodUID) {
		text += "; nobody has the pod's name any more: its events are gone, too"
	}
	if len(v.NamedBy) > 0 && v.Owner.PodState != correlate.PodUnasked {
		text += "; the pod is gone, named by " + english.WordSeries(v.NamedBy, "and")
	}
	evidence := []string{text}
	if k := v.Kill; k.Usage != nil && k.Limit != nil {
		evidence = append(evidence, fmt.Sprintf("%s of %s used in %s", size(*k.Usage), size(*k.Limit), k.LimitCgroup))
	}
	if v.Request > 0 || v.Limit > 0 {
		text := fmt.Sprintf("its spec: request %s, limit %s", orNone(v.Request), orNone(v.Limit))
		if v.Restarts > 0 {
			text += "; restarted" + times(v.Restarts)
		}
		evidence = append(evidence, text)
	}
	if v.Processes > v.Kills {
		evidence = append(evidence, fmt.Sprintf("memory.oom.group is set: with each kill all processes of the cgroup die, %d in all", v.Processes))
	}
	return append(evidence, oomOthers(v)...)
}

func orNone(n uint64) string {
	if n == 0 {
		return "none"
	}
	return size(n)
}

// oomHad: tmpfs that it has written counts where it does not map it, too, and is
// in none of these.
func oomHad(k report.OOMKill) string {
	var parts []string
	for _, p := range []struct {
		name string
		size *uint64
	}{{"anonymous", k.AnonRSS}, {"of files", k.FileRSS}, {"shared", k.ShmemRSS}} {
		if p.size != nil && *p.size > 0 {
			parts = append(parts, size(*p.size)+" "+p.name)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " had " + english.WordSeries(parts, "and")
}

// oomOthers: the victim is who has most, unless oom_score_adj says else. Where it
// had less than half of what was used, others count.
func oomOthers(v correlate.OOMVictim) []string {
	k := v.Kill
	if v.Scope == correlate.ScopeNode || k.Usage == nil || k.AnonRSS == nil || *k.AnonRSS > *k.Usage/2 {
		return nil
	}
	var sum uint64
	var parts []string
	for i, t := range k.Largest {
		sum += t.RSS
		if i < holdersNamedMax {
			parts = append(parts, fmt.Sprintf("%s (%d) %s", t.Comm, t.PID, size(t.RSS)))
		}
	}
	var evidence []string
	if len(parts) > 1 {
		evidence = append(evidence, "the largest at that moment: "+strings.Join(parts, ", "))
	}
	if len(k.Largest) > 0 && sum < *k.Usage/2 {
		evidence = append(evidence, "its processes had less than half of it: the rest is tmpfs (emptyDir in memory, /dev/shm), page cache or the kernel's")
	}
	return evidence
}

// oomLargest is who had most when the node ran out, by the kernel's own table.
func oomLargest(n *correlate.Node, v correlate.OOMVictim) string {
	if len(v.Kill.Largest) == 0 {
		return ""
	}
	t := v.Kill.Largest[0]
	text := fmt.Sprintf("the largest process at that moment: %d (%s) with %s", t.PID, t.Comm, size(t.RSS))
	if owner, ok := n.OOMTaskOwner(v, t); ok {
		text += ", of " + Title(owner)
		if isHost(owner) {
			text += ": a process of the host, which no pod's limit holds"
		}
	}
	if t.PID != v.Kill.PID {
		text += fmt.Sprintf("; it was not killed (oom_score_adj %d)", t.ScoreAdj)
	}
	return text
}

// oomRemedy: a higher limit is no help against a leak.
func oomRemedy(n *correlate.Node, v correlate.OOMVictim) []Step {
	o := v.Owner
	var steps []Step
	if namable(o) && o.PodState == correlate.PodKnown && o.Container != "" && len(validation.IsDNS1123Label(o.Container)) == 0 {
		previous := ""
		if v.Restarts > 0 { // else the run that lost a process is the one that is there
			previous = " --previous"
		}
		steps = append(steps, Step{Do: "see what it did before it died", Run: fmt.Sprintf("kubectl -n %s logs %s -c %s%s --tail 50", o.Namespace, o.Pod, o.Container, previous)})
	}
	if o.Type == correlate.OwnerPod && o.Pod == "" && !n.EventsAreGone(o.PodUID) && len(validation.IsDNS1123Label(o.PodUID)) == 0 {
		steps = append(steps, Step{Do: "see who it was: for an hour the API server keeps its events", Run: "kubectl get events -A --field-selector involvedObject.uid=" + o.PodUID})
	}
	if o.PodState == correlate.PodKnown || o.Type != correlate.OwnerPod {
		steps = append(steps, Step{Do: "see whether it grows without end: a leak needs a fix, and a higher limit only delays it", Run: oomCommand(n) + " --watch"})
	}
	switch {
	case v.Scope == correlate.ScopePods:
		return append(steps, Step{Do: "pods here use more than they request: raise the requests of those that do, so that fewer land here, or bound them with limits"})
	case v.Scope == correlate.ScopeCgroup && correlate.ParseCgroupPath(v.Kill.LimitCgroup).Unit != "":
		unit := correlate.ParseCgroupPath(v.Kill.LimitCgroup).Unit
		if v.Kill.Limit != nil && unitName.MatchString(unit) {
			return append(steps, Step{Do: "if it needs more", Run: fmt.Sprintf("systemctl set-property %s %s=%dM", unit, memoryMax(n), oomHigher(*v.Kill.Limit)>>20)})
		}
	case o.Type == correlate.OwnerPod:
		return append(steps, oomHigherLimit(v))
	}
	return append(steps, Step{Do: "if it needs more: raise the limit where it is set"})
}

// oomHigherLimit names the command where kubectl has one. The kubelet makes a
// pod's limit of those of its containers.
func oomHigherLimit(v correlate.OOMVictim) Step {
	o, limit := v.Owner, v.Limit
	if limit == 0 && v.Kill.Limit != nil && v.Scope == correlate.ScopeContainer {
		limit = *v.Kill.Limit
	}
	kind, name, _ := strings.Cut(o.Workload, "/")
	switch kind {
	case "Deployment", "StatefulSet", "DaemonSet":
		if limit > 0 && namable(o) && o.Container != "" && len(validation.IsDNS1123Label(o.Container)) == 0 && len(validation.IsDNS1123Subdomain(name)) == 0 {
			return Step{Do: "if it needs more: half as much again, which starts its pods anew",
				Run: fmt.Sprintf("kubectl -n %s set resources %s %s -c %s --limits=memory=%dMi", o.Namespace, strings.ToLower(kind), name, o.Container, oomHigher(limit)>>20)}
		}
	}
	where := "the pod's spec"
	switch {
	case o.Static:
		where = "the static pod's manifest on the node"
	case o.Workload != "":
		where = o.Workload
	}
	step := Step{Do: "if it needs more: raise resources.limits.memory of the container in " + where}
	if limit > 0 {
		step.Do += fmt.Sprintf(", to %dMi say", oomHigher(limit)>>20)
	}
	return step
}

// oomHigher is half as much again, in whole 16 MiB.
func oomHigher(limit uint64) uint64 {
	const step = 16 << 20
	return (limit + limit/2 + step - 1) / step * step
}
