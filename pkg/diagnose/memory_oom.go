package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// MemoryOOMKills is the ID of the rule about OOM kills.
const MemoryOOMKills = "memory-oom-kills"

// oomGoneMax pods that are gone get a finding each; nobody can do much about them.
const oomGoneMax = 2

// A kill is news for a day; one that comes back, for a week after the last time.
func oomNews() Threshold {
	return span(MemoryOOMKills, "news", 24*time.Hour, "since the last kill: a finding")
}
func oomRepeated() Threshold {
	return atLeast(MemoryOOMKills, "repeated", 3, "kills of the same: it comes back")
}
func oomRepeatedNews() Threshold {
	return span(MemoryOOMKills, "repeated-news", 7*24*time.Hour, "since the last kill of one that comes back: a finding")
}

func memoryOOMKillsRule() Rule {
	return Rule{
		ID: MemoryOOMKills, find: memoryOOMKills,
		Title:      "the kernel has killed for want of memory",
		Thresholds: []Threshold{oomNews(), oomRepeated(), oomRepeatedNews()},
		Page: Page{
			Means: "Where memory is at an end the kernel kills: in a cgroup that is at its own limit, or anybody where the whole node has nothing left. In the first case who was killed had too low a limit, or a leak. In the second one who was killed need not be who took the memory; that is critical.",
			Computed: []string{
				"Kills in the kernel's log, each with the limit that was reached, by owner, program and limit; what the log no longer has is taken from the containers' last state (OOMKilled) and the kubelet's events (SystemOOM). They are a finding for {news} after the last one, where there were {repeated} or more for {repeated-news}.",
				fmt.Sprintf("Kills by SysRq are none. Pods that are gone are told together where there are more than %d. Those for which a cpuset or a memory policy had too little are a warning.", oomGoneMax),
			},
			Source: []string{"mm/oom_kill.c: oom-kill:constraint=… (Linux 4.19), \"Memory cgroup out of memory\" before; Documentation/admin-guide/cgroup-v2.rst: memory.oom.group"},
			Do: []string{
				"See whether it grows without end (kubectl nodedoc memory NODE --watch): a leak needs a fix, and a higher limit only delays it.",
				"Of the node: see who has its memory, bound what no pod's limit holds, and have the kubelet evict earlier (evictionHard). If it comes at night: kubectl nodedoc record.",
			},
			Fooled: []string{
				"The log is a ring, and a reboot empties it: kills of before are not there.",
				"Its clock drifts against the node's by seconds each day: times of long uptimes are a little off.",
				"Of a pod whose processes are not all killed the container may live on and not restart: nothing but the log tells.",
			},
		},
	}
}

// memoryOOMKills: whom the kernel has killed, by whose limit it was. That of the
// node comes first: who is killed there need not be who took the memory.
func memoryOOMKills(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	if n.Report.OOM == nil {
		return nil
	}
	var findings []Finding
	var ofNode []correlate.OOMVictim
	byOwner := map[correlate.Owner][]correlate.OOMVictim{}
	var owners, gone []correlate.Owner
	for _, v := range n.OOMVictims() { // newest first
		switch {
		case !isOOMNews(n, v, limits):
		case v.Scope == correlate.ScopeNode:
			ofNode = append(ofNode, v)
		default:
			switch {
			case byOwner[v.Owner] != nil:
			case v.Owner.PodState == correlate.PodGone || v.Owner.PodState == correlate.PodReplaced || isNameless(v.Owner):
				gone = append(gone, v.Owner)
			default:
				owners = append(owners, v.Owner)
			}
			byOwner[v.Owner] = append(byOwner[v.Owner], v)
		}
	}
	if len(ofNode) > 0 {
		findings = append(findings, oomOfNode(n, ofNode, earlier))
	}
	if len(gone) <= oomGoneMax {
		owners, gone = append(owners, gone...), nil
	}
	for _, o := range owners[:min(len(owners), ownersNamedMax)] {
		findings = append(findings, oomOfOwner(n, o, byOwner[o], earlier))
	}
	if len(gone) > 0 {
		findings = append(findings, oomOfGone(n, gone, byOwner))
	}
	return findings
}

// isOOMNews: what somebody did by SysRq is none. A log without times tells of a
// node's whole life, which is news while that is short.
func isOOMNews(n *correlate.Node, v correlate.OOMVictim, limits Thresholds) bool {
	now := n.Time()
	switch {
	case v.Kill.By != "":
		return false
	case v.Last == nil || now == nil:
		return n.Report.Node.Uptime > 0 && n.Report.Node.Uptime <= limits.In(oomNews())
	case v.Kills >= limits.count(oomRepeated()):
		return now.Sub(*v.Last) <= limits.duration(oomRepeatedNews())
	}
	return now.Sub(*v.Last) <= limits.duration(oomNews())
}

// oomOfOwner is about a pod's container, or a part of the host.
func oomOfOwner(n *correlate.Node, o correlate.Owner, victims []correlate.OOMVictim, earlier []Finding) Finding {
	newest, kills := victims[0], 0
	for _, v := range victims {
		kills += v.Kills
	}
	f := Finding{Severity: Warning, Subject: &o, CausedBy: ids(ofPod(o, earlier), MemoryGrowth, MemoryTmpfs),
		Summary: fmt.Sprintf("%s was OOM-killed%s %s%s", Title(o), times(kills), oomByWhat(newest), ago(n, newest.Last))}
	if o.Type == correlate.OwnerUnknown {
		f.Subject = nil
		f.Summary = fmt.Sprintf("%s was OOM-killed %s%s", oomProcess(newest), oomByWhat(newest), ago(n, newest.Last))
		if kills > 1 {
			f.Summary = fmt.Sprintf("%d processes were OOM-killed of which nobody knows whose they were%s", kills, ago(n, newest.Last))
		}
	}
	for _, v := range victims[:min(len(victims), holdersNamedMax)] {
		f.Evidence = append(f.Evidence, oomEvidence(n, v)...)
	}
	f.Remedy = oomRemedy(n, newest)
	return f
}

// isNameless: neither the node nor, unasked, the API server has the pod's name.
func isNameless(o correlate.Owner) bool {
	return o.Type == correlate.OwnerPod && o.Pod == "" && o.PodState != correlate.PodKnown
}

// oomOfGone is about all pods that are no longer there, e.g. runs of a job.
func oomOfGone(n *correlate.Node, gone []correlate.Owner, byOwner map[correlate.Owner][]correlate.OOMVictim) Finding {
	f := Finding{Severity: Warning}
	kills := 0
	for i, o := range gone {
		ofPod := 0
		for _, v := range byOwner[o] {
			ofPod += v.Kills
		}
		kills += ofPod
		if newest := byOwner[o][0]; i < ownersNamedMax {
			f.Evidence = append(f.Evidence, fmt.Sprintf("%s:%s %s; %s%s%s", Title(o), times(ofPod), oomByWhat(newest), oomProcess(newest), oomHad(newest.Kill), ago(n, newest.Last)))
		}
	}
	if more := len(gone) - ownersNamedMax; more > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("and %d more", more))
	}
	newest := byOwner[gone[0]][0]
	pods := map[string]bool{}
	for _, o := range gone {
		pods[o.PodUID] = true
	}
	what := ", gone by now"
	if slices.ContainsFunc(gone, func(o correlate.Owner) bool { return o.PodState == correlate.PodUnasked }) {
		what = " whose names the node does not have (any more)"
	}
	f.Summary = fmt.Sprintf("OOM kills in %s%s: %d in all%s", english.Plural(len(pods), "pod", ""), what, kills, ago(n, newest.Last))
	f.Remedy = oomRemedy(n, newest)
	return f
}

// oomOfNode: the node's memory is all that there is.
func oomOfNode(n *correlate.Node, victims []correlate.OOMVictim, earlier []Finding) Finding {
	kills := 0
	for _, v := range victims {
		kills += v.Kills
	}
	newest := victims[0]
	f := Finding{Severity: Critical, CausedBy: ids(earlier, MemoryHostProcess, MemoryGrowth, MemoryTmpfs, MemoryKernel, MemoryThresholdTooLow, MemorySoftOnly, MemoryReservedTooSmall),
		Summary: fmt.Sprintf("the node ran out of memory: the kernel has killed %s%s", english.Plural(kills, "process", ""), ago(n, newest.Last))}
	switch newest.Kill.Constraint {
	case "cpuset", "memoryPolicy":
		f.Severity = Warning
		f.Summary = fmt.Sprintf("NUMA nodes that programs are bound to ran out of memory: the kernel has killed %s%s", english.Plural(kills, "process", ""), ago(n, newest.Last))
	}
	if largest := oomLargest(n, newest); largest != "" {
		f.Evidence = append(f.Evidence, largest)
	}
	for _, v := range victims[:min(len(victims), ownersNamedMax)] {
		f.Evidence = append(f.Evidence, oomEvidence(n, v)...)
	}
	if more := len(victims) - ownersNamedMax; more > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("and %d more", more))
	}
	f.Remedy = append(f.Remedy, Step{Do: "see who has the node's memory, pods and host processes alike, and when the kubelet evicts", Run: oomCommand(n)})
	if i := slices.IndexFunc(victims, func(v correlate.OOMVictim) bool {
		return v.Owner.Type == correlate.OwnerUnit && unitName.MatchString(v.Owner.Unit)
	}); i >= 0 {
		f.Remedy = append(f.Remedy, Step{Do: "bound what no pod's limit holds", Run: oomUnitLimit(n, victims[i].Owner)})
	}
	f.Remedy = append(f.Remedy, Step{Do: "have the kubelet evict pods before the kernel kills: a higher evictionHard memory.available, systemReserved for what runs beside pods, memory limits on pods"})
	if n.Inventory != nil {
		f.Remedy = append(f.Remedy, Step{Do: "if it comes at night: leave a recorder", Run: fmt.Sprintf("kubectl nodedoc record %s --for 12h", n.Name())})
	}
	return f
}

func oomCommand(n *correlate.Node) string { return "kubectl nodedoc memory " + place(n) }

// oomUnitLimit is for somebody who knows how much it may have.
func oomUnitLimit(n *correlate.Node, o correlate.Owner) string {
	return fmt.Sprintf("systemctl set-property %s %s=SIZE", o.Unit, memoryMax(n))
}

// memoryMax is MemoryLimit= for the systemd of RHEL 7, which newer ones take on
// cgroup v1 as well.
func memoryMax(n *correlate.Node) string {
	if n.Report.Memory != nil && n.Report.Memory.CgroupVersion == 1 {
		return "MemoryLimit"
	}
	return "MemoryMax"
}

// times leaves out that it was once.
func times(kills int) string {
	if kills == 1 {
		return ""
	}
	return fmt.Sprintf(" %d times", kills)
}

// ago is by the node's own clock.
func ago(n *correlate.Node, at *time.Time) string {
	now := n.Time()
	if at == nil || now == nil {
		return ""
	}
	return ", last " + humanize.RelTime(*at, *now, "ago", "from now")
}
