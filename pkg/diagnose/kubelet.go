package diagnose

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/logs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// IDs of the rules about the kubelet.
const (
	KubeletHot      = "kubelet-hot"
	KubeletLog      = "kubelet-log"
	KubeletLogFlood = "kubelet-log-flood"
)

// kubeletHot: the kubelet or the runtime's daemon uses far more than on other nodes.
func kubeletHot(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	if n.Report.Kubelet == nil && (n.Inventory == nil || n.Inventory.Kubelets == nil) {
		return nil
	}
	k := n.Kubelet()
	var findings []Finding
	for _, d := range k.Daemons {
		what := hotWhat(d, limits)
		if len(what) == 0 {
			continue
		}
		f := Finding{Severity: Warning, Summary: fmt.Sprintf("%s uses %s", d.Name, english.OxfordWordSeries(what, "and")), CausedBy: hotCauses(k, earlier)}
		if d.Unit != "" {
			f.Subject = &correlate.Owner{Type: correlate.OwnerUnit, Unit: d.Unit}
		}
		f.Evidence, f.Remedy = hotEvidence(k, d), hotRemedy(n, k, d)
		findings = append(findings, f)
	}
	return findings
}

// hotWhat is what a daemon uses too much of, in words.
func hotWhat(d correlate.Daemon, limits Thresholds) (what []string) {
	if cpu := d.CPUPercent; cpu != nil && isHot(*cpu, limits.In(hotCPU()), d.CPU, limits) {
		what = append(what, fmt.Sprintf("%.0f %% of a core%s", *cpu, beside(d.CPU, func(v float64) string { return fmt.Sprintf("%.0f %%", v) })))
	}
	if rss := d.RSSBytes; rss != nil && isHot(float64(*rss), limits.In(hotMemory()), d.Memory, limits) {
		what = append(what, correlate.Size(*rss)+" of memory"+beside(d.Memory, func(v float64) string { return correlate.Size(uint64(v)) }))
	}
	return what
}

func isHot(own, floor float64, c *correlate.Comparison, limits Thresholds) bool {
	if c == nil {
		return own >= floor*hotAlone
	}
	return own >= floor && c.Own >= c.Median*limits.In(hotRatio())
}

func beside(c *correlate.Comparison, text func(float64) string) string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf(" (%s on %s)", text(c.Median), english.Plural(c.Of, "other node", ""))
}

// hotCauses: leaked mounts, where log or profile speak of them.
func hotCauses(k correlate.NodeKubelet, earlier []Finding) []string {
	unmounting := knownGroup(k, logs.DeviceMountRefs) != nil
	if k.Profile != nil {
		for _, a := range k.Profile.Activities {
			if a.Percent >= 20 && (a.Name == correlate.ActivityUnmounting || a.Name == correlate.ActivityMountTable) {
				unmounting = true
			}
		}
	}
	if unmounting {
		return ids(earlier, MountsLeaked)
	}
	return nil
}

// knownGroup is the kubelet's or runtime's group of a known kind with the most lines.
func knownGroup(k correlate.NodeKubelet, id string) *logs.Group {
	for i := range k.Logs {
		for j := range k.Logs[i].Groups {
			if g := &k.Logs[i].Groups[j]; k.Logs[i].Name != report.LogKernel && g.Known != nil && g.Known.ID == id {
				return g
			}
		}
	}
	return nil
}

func hotEvidence(k correlate.NodeKubelet, d correlate.Daemon) (evidence []string) {
	process := fmt.Sprintf("process %d", d.PID)
	if d.Threads > 0 {
		process += fmt.Sprintf(", %s", english.Plural(d.Threads, "thread", ""))
	}
	if d.SampleMillis > 0 {
		process += fmt.Sprintf("; its CPU over %.1f s", float64(d.SampleMillis)/1000)
	}
	evidence = append(evidence, process)
	if k.Profile != nil && len(k.Profile.Activities) > 0 && d.Name == "kubelet" {
		a := k.Profile.Activities[0]
		evidence = append(evidence, fmt.Sprintf("its profile: %.0f %% %s", a.Percent, a.Name))
	}
	for _, l := range k.Logs {
		if l.Name == report.LogKubelet && d.Name == "kubelet" && len(l.Groups) > 0 {
			evidence = append(evidence, fmt.Sprintf("it logs %s lines a minute, most of them %s", humanize.Comma(int64(l.PerMinute)), l.Groups[0].Pattern))
		}
	}
	return evidence
}

func hotRemedy(n *correlate.Node, k correlate.NodeKubelet, d correlate.Daemon) (steps []Step) {
	if k.Profile == nil && d.Name == "kubelet" && n.Inventory != nil {
		steps = append(steps, Step{Do: "see what it does", Run: fmt.Sprintf("kubectl nodedoc kubelet %s --profile 10s", place(n))})
	}
	if n.Report.Mounts == nil {
		steps = append(steps, Step{Do: "see whether mounts are leaked", Run: fmt.Sprintf("kubectl nodedoc mounts %s --leaked", place(n))})
	}
	return append(steps, Step{Do: "see what hangs on the node", Run: "kubectl nodedoc runtime " + place(n)})
}

// kubeletLogFlood: one pattern of warnings or errors, again and again.
func kubeletLogFlood(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	if n.Report.Logs == nil && (n.Inventory == nil || n.Inventory.Kubelets == nil) {
		return nil
	}
	var findings []Finding
	for _, l := range n.Kubelet().Logs {
		for _, g := range l.Groups[:min(1, len(l.Groups))] { // the one with the most lines
			if g.Level == logs.Info || g.Level == "" || g.Count < floodLines || g.PerMinute < limits.In(floodRate())*60 {
				continue
			}
			f := Finding{Severity: Warning, Summary: fmt.Sprintf("the %s's log is flooded: %s lines a minute of one kind", l.Name, humanize.Comma(int64(g.PerMinute))),
				Evidence: []string{fmt.Sprintf("%s times: %s", humanize.Comma(int64(g.Count)), g.Pattern), "the newest: " + g.Example}}
			f.explain(n, g.Known)
			f.CausedBy = logCauses(g.Known, earlier)
			findings = append(findings, f)
		}
	}
	return findings
}

// kubeletLog: lines that a healthy node does not repeat.
func kubeletLog(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	if n.Report.Logs == nil && (n.Inventory == nil || n.Inventory.Kubelets == nil) {
		return nil
	}
	var findings []Finding
	for _, l := range n.Kubelet().Logs {
		if l.Name == report.LogKernel { // other rules read it
			continue
		}
		for _, sum := range knownSums(l) {
			if sum.count < limits.count(knownLines()) || sum.perMinute < sum.known.Trouble {
				continue
			}
			f := Finding{Severity: Warning, CausedBy: logCauses(sum.known, earlier),
				Summary: fmt.Sprintf("the %s says %s times in the last %s: %s", l.Name, humanize.Comma(int64(sum.count)), minutes(l), sum.known.Means),
				Evidence: []string{fmt.Sprintf("%.1f lines a minute in %s, the newest %s", sum.perMinute, english.Plural(sum.groups, "pattern", ""), sum.last),
					"such as: " + sum.example}}
			f.explain(n, sum.known)
			findings = append(findings, f)
		}
	}
	return findings
}

func minutes(l logs.Log) string {
	if l.From == nil {
		return "lines"
	}
	return humanize.Ftoa(float64(int(l.To.Sub(*l.From).Minutes()*10))/10) + " minutes"
}

// knownSum is all that a log has of one known kind, in whatever words.
type knownSum struct {
	known         *logs.Known
	count, groups int
	perMinute     float64
	example, last string
}

// knownSums are those that are trouble, in the order of their first group.
func knownSums(l logs.Log) (sums []*knownSum) {
	byID := map[string]*knownSum{}
	for i := range l.Groups {
		g := &l.Groups[i]
		if g.Known == nil || g.Known.Trouble == 0 {
			continue
		}
		s := byID[g.Known.ID]
		if s == nil {
			s = &knownSum{known: g.Known, example: g.Example, last: "without a time"}
			if g.Last != nil {
				s.last = "at " + g.Last.UTC().Format("15:04:05 UTC")
			}
			byID[g.Known.ID] = s
			sums = append(sums, s)
		}
		s.count, s.groups, s.perMinute = s.count+g.Count, s.groups+1, s.perMinute+g.PerMinute
	}
	return sums
}

// explain adds what a known kind of line means and what to do.
func (f *Finding) explain(n *correlate.Node, known *logs.Known) {
	if known == nil {
		f.Remedy = append(f.Remedy, Step{Do: "see all patterns", Run: fmt.Sprintf("kubectl nodedoc kubelet %s", place(n))})
		return
	}
	f.Remedy = append(f.Remedy, Step{Do: known.Do, Run: strings.ReplaceAll(known.Run, "NODE", place(n))})
}

// logCauses are earlier findings that explain lines of a kind.
func logCauses(known *logs.Known, earlier []Finding) []string {
	if known == nil {
		return nil
	}
	switch known.ID {
	case logs.DeviceMountRefs, logs.VolumeFailed:
		return ids(earlier, MountsLeaked)
	case logs.OrphanedPod:
		return ids(earlier, MountsLeaked, RuntimeLeftovers)
	case logs.PLEGUnhealthy, logs.RuntimeDown, logs.SandboxFailed, logs.Deadline:
		return ids(earlier, PipesRuntimeBlocked, RuntimeDaemon, RuntimeStuck)
	case logs.TooManyOpenFiles:
		return ids(earlier, FDNodeLimit, FDProcessLimit, InotifyInstances, InotifyWatches)
	case logs.NoThreads:
		return ids(earlier, TasksNodeLimit, TasksPodLimit)
	}
	return nil
}
