package cmd

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// reduce makes a node's checkup of its report.
func (o *checkupOptions) reduce(n *correlate.Node) (printer.Checkup, error) {
	findings := o.findings(n)
	for i := range findings {
		o.addMore(&findings[i], n)
	}
	return printer.Checkup{Time: n.Time(), Findings: findings, Totals: totals(n), Failed: unchecked(n)}, nil
}

// addMore adds the command that shows more, unless a step has it already.
func (o *checkupOptions) addMore(f *diagnose.Finding, n *correlate.Node) {
	command := moreAbout(f.ID)
	if command == "" {
		return
	}
	name, _, _ := strings.Cut(command, " ")
	for _, step := range f.Remedy {
		if strings.HasPrefix(step.Run, "kubectl nodedoc "+name+" ") {
			return
		}
	}
	place := n.Name()
	if o.source.local {
		place = "--local"
	} else if len(validation.IsDNS1123Subdomain(place)) > 0 {
		return
	}
	command = strings.Replace(command, "NODE", place, 1)
	f.Remedy = append(slices.Clip(f.Remedy), diagnose.Step{Do: "see more of it", Run: o.nodedoc(command)})
}

// moreAbout is the command that shows what a rule looks at, by the rule's family.
func moreAbout(id string) string {
	family, _, _ := strings.Cut(id, "-")
	switch family {
	case "fd", "inotify":
		return "fd NODE"
	case "mounts":
		if id == diagnose.MountsLeaked {
			return "mounts NODE --leaked"
		}
		return "mounts NODE"
	case "tasks", "memory", "pipes", "runtime", "kubelet":
		return family + " NODE"
	}
	return ""
}

// totals are the figures that the rules look at first.
func totals(n *correlate.Node) []printer.Total {
	var all []printer.Total
	if u := n.RankFDs(correlate.ByPod).Files; u != nil {
		t := printer.Total{Name: printer.TotalOpenFiles, Value: u.Used, Max: u.Max}
		if u.Unlimited() {
			t.Max = 0
		}
		all = append(all, t)
	}
	if n.Report.Tasks != nil {
		if u := n.Tasks(correlate.TaskOptions{}).Usage; u != nil {
			all = append(all, printer.Total{Name: printer.TotalThreads, Value: u.Total, Max: u.Max})
		}
	}
	if m := n.Report.Memory; m != nil && m.Info.Total != nil && m.Info.Available != nil {
		all = append(all, printer.Total{Name: printer.TotalMemory, Value: *m.Info.Total - min(*m.Info.Available, *m.Info.Total), Max: *m.Info.Total, Unit: "bytes"})
	}
	if n.Report.Mounts != nil {
		all = append(all, printer.Total{Name: "mounts", Value: uint64(max(n.Mounts().HostMounts, 0))})
	}
	if i := n.Inventory; i != nil && i.PodsError == "" {
		all = append(all, printer.Total{Name: "pods", Value: uint64(len(i.Pods))})
	}
	return all
}

// unchecked is what no rule could look at, with the reason.
func unchecked(n *correlate.Node) []string {
	var all []string
	failed := map[string]bool{}
	for _, f := range n.Report.Probe.Failed {
		failed[f.What] = true
		all = append(all, f.What+": "+f.Cause)
	}
	r := n.Report
	var absent []string
	for _, section := range []struct {
		name string
		is   bool
	}{
		{report.CollectOpenFiles, r.OpenFiles != nil}, {report.CollectProcesses, r.Processes != nil && r.Processes.FDMethod != ""},
		{report.CollectContainers, r.Containers != nil}, {report.CollectMounts, r.Mounts != nil}, {report.CollectDevices, r.Devices != nil},
		{report.CollectTasks, r.Tasks != nil}, {report.CollectKubelet, r.Kubelet != nil}, {report.CollectMemory, r.Memory != nil},
		{report.CollectOOM, r.OOM != nil}, {report.CollectPipes, r.Pipes != nil}, {report.CollectRuntime, r.Runtime != nil}, {report.CollectLogs, r.Logs != nil},
	} {
		if !section.is && !failed[section.name] {
			absent = append(absent, section.name)
		}
	}
	if len(absent) > 0 {
		all = append(all, strings.Join(absent, ", ")+": not in the report, which was made by another command than checkup")
	}
	return append(all, unasked(n.Inventory)...)
}

// unasked is what the API server did not say.
func unasked(inv *inventory.Inventory) []string {
	if inv == nil {
		return []string{"API server: not asked, so nothing is known of pods and volumes that are gone"}
	}
	errs := [][2]string{{"pods", inv.PodsError}}
	if s := inv.Storage; s != nil {
		errs = append(errs, [][2]string{{"volumes", s.VolumesError}, {"volume attachments", s.AttachmentsError}, {"CSI drivers", s.DriversError}}...)
	}
	if m := inv.Memory; m != nil {
		errs = append(errs, [][2]string{{"the node's state", m.NodeError}, {"the kubelet's configuration", m.ConfigError}, {"the kubelet's summary", m.SummaryError}, {"events", m.EventsError}}...)
	}
	var all []string
	for _, e := range errs {
		if e[1] != "" {
			all = append(all, "API server, "+e[0]+": "+cmp.Or(e[1], "?"))
		}
	}
	return all
}
