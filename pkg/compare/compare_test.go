package compare

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const hour = 3600

// node holds descriptors in pods named by a digit, and in the host's sshd.
func node(name string, now int64, fds ...int) *report.NodeReport {
	limit := uint64(100_000)
	sum := 0
	r := &report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind, Probe: report.Probe{Version: "v1"},
		Node:      report.Node{Hostname: name, BootID: "b1", Now: now, BootTime: 1000, Uptime: 90_000, ClockTicks: 100},
		Processes: &report.Processes{FDMethod: "getdents"}}
	for i, count := range fds {
		path := fmt.Sprintf("/kubepods/pod%08d-0000-4000-8000-000000000000/%064d", i, i)
		if i == 0 {
			path = "/system.slice/sshd.service"
		}
		r.Processes.Cgroups = append(r.Processes.Cgroups, report.Cgroup{Entries: []report.CgroupEntry{{Path: path}}})
		if count > 0 {
			r.Processes.List = append(r.Processes.List, report.Process{PID: 100 + i, PPID: 1, Comm: "x", State: "S", Cgroup: i, FDs: &report.FDs{Count: count}})
		}
		sum += count
	}
	r.OpenFiles = &report.OpenFiles{Max: &limit, Samples: []report.FileSample{{Allocated: uint64(sum)}, {AtMillis: 1000, Allocated: uint64(sum)}}}
	return r
}

func joined(r *report.NodeReport) *correlate.Node {
	return correlate.Join(r, &inventory.Inventory{Node: r.Node.Hostname})
}

func compareTwo(before, after *report.NodeReport) Node {
	return Nodes([]*correlate.Node{joined(before)}, []*correlate.Node{joined(after)}, Options{})[0]
}

func ownersText(n Node) string {
	var parts []string
	of := func(v *uint64) string {
		if v == nil {
			return "-"
		}
		return fmt.Sprint(*v)
	}
	for _, o := range n.Owners {
		text := fmt.Sprintf("%s %s %s→%s", o.What, o.Owner.Name()[:min(12, len(o.Owner.Name()))], of(o.Before), of(o.After))
		if o.Percent != nil {
			text += fmt.Sprintf(" %+.0f%%", *o.Percent)
		}
		if o.PerHour != nil {
			text += fmt.Sprintf(" %+.1f/h", *o.PerHour)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

func TestOwners(t *testing.T) {
	n := compareTwo(node("n", 10*hour, 10, 100, 50, 7), node("n", 12*hour, 10, 300, 0, 5, 60))
	want := "descriptors pod 00000001 100→300 +200% +100.0/h; descriptors pod 00000004 -→60; descriptors pod 00000002 50→-; descriptors pod 00000003 7→5 -29% -1.0/h"
	if got := ownersText(n); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if n.Seconds != 2*hour || n.Rebooted || len(n.Totals) != 2 || *n.Totals[0].After != 375 || n.Totals[0].Change != 208 {
		t.Errorf("got %+v", n)
	}
}

// A reboot makes rates meaningless: all that was is gone.
func TestRebooted(t *testing.T) {
	after := node("n", 12*hour, 300)
	after.Node.BootID = "b2"
	if n := compareTwo(node("n", 10*hour, 10), after); !n.Rebooted || ownersText(n) != "descriptors sshd.service 10→300 +2900%" {
		t.Errorf("got %v, %s", n.Rebooted, ownersText(n))
	}
}

func TestFindings(t *testing.T) {
	sick := node("n", 12*hour, 10, 99_000)
	ids := func(n Node) (list []string) {
		for _, f := range n.Findings {
			list = append(list, fmt.Sprintf("%s %s %s", f.Change, f.Severity, f.ID))
		}
		return list
	}
	if got := ids(compareTwo(node("n", 10*hour, 10), sick)); !slices.Contains(got, "new critical "+diagnose.FDNodeLimit) {
		t.Errorf("got %q", got)
	}
	if got := ids(compareTwo(sick, node("n", 14*hour, 10))); !slices.Contains(got, "resolved critical "+diagnose.FDNodeLimit) {
		t.Errorf("got %q", got)
	}
	warned := node("n", 10*hour, 10, 85_000)
	if got := ids(compareTwo(warned, sick)); !slices.Contains(got, "worse critical "+diagnose.FDNodeLimit) {
		t.Errorf("got %q", got)
	}
	if got := ids(compareTwo(sick, warned)); !slices.Contains(got, "better warning "+diagnose.FDNodeLimit) {
		t.Errorf("got %q", got)
	}
	if got := ids(compareTwo(sick, sick)); !slices.Contains(got, "same critical "+diagnose.FDNodeLimit) {
		t.Errorf("got %q", got)
	}
}

// What one report does not tell is neither none nor resolved.
func TestWhatNobodyLookedAtIsNotZero(t *testing.T) {
	sick := node("n", 10*hour, 10, 99_000)
	blind := node("n", 12*hour, 10, 99_000)
	blind.OpenFiles, blind.Processes.FDMethod = nil, ""
	for i := range blind.Processes.List {
		blind.Processes.List[i].FDs = nil
	}
	n := compareTwo(sick, blind)
	if len(n.Findings)+len(n.Totals)+len(n.Owners) > 0 {
		t.Errorf("got %+v", n)
	}
	if want := (Gap{"open files", "not in the newer report, which was made without looking at it"}); !slices.Contains(n.NotComparable, want) {
		t.Errorf("got %+v", n.NotComparable)
	}
	blind.Probe.Failed = []report.Unreadable{{What: report.CollectOpenFiles, Cause: "gave up after 30s"}}
	n = compareTwo(blind, sick)
	if want := (Gap{"open files", "not in the older report: gave up after 30s"}); len(n.Findings) > 0 || !slices.Contains(n.NotComparable, want) {
		t.Errorf("got %+v", n)
	}
}

func TestDescriptorsThatCouldNotBeCounted(t *testing.T) {
	after := node("n", 12*hour, 10, 7)
	after.Processes.List[1].FDs = nil
	n := compareTwo(node("n", 10*hour, 10, 7), after)
	if want := (Gap{"descriptors of some processes", "1 could not be counted in the newer report"}); !slices.Contains(n.NotComparable, want) {
		t.Errorf("got %+v", n.NotComparable)
	}
}

func TestNodesOfOneFileOnly(t *testing.T) {
	list := func(names ...string) (nodes []*correlate.Node) {
		for _, name := range names {
			nodes = append(nodes, joined(node(name, 10*hour, 5)))
		}
		return nodes
	}
	var got []string
	for _, n := range Nodes(list("b", "gone"), list("new", "b"), Options{}) {
		got = append(got, n.Node+" "+string(n.State))
	}
	if want := []string{"b both", "gone removed", "new added"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// News come first, and of those the node that is worse.
func TestWorstNodeFirst(t *testing.T) {
	before := []*correlate.Node{joined(node("a", 10*hour, 5)), joined(node("z", 10*hour, 5))}
	after := []*correlate.Node{joined(node("a", 12*hour, 5)), joined(node("z", 12*hour, 99_000))}
	if got := Nodes(before, after, Options{}); got[0].Node != "z" {
		t.Errorf("got %s first", got[0].Node)
	}
}

func TestNotes(t *testing.T) {
	before := node("n", 12*hour, 5)
	before.Probe.Version = "v0"
	n := compareTwo(before, node("n", 10*hour, 6))
	if n.Seconds != 0 || len(n.Notes) != 2 || !strings.Contains(n.Notes[0], "the wrong way round") || !strings.Contains(n.Notes[1], "v0 and v1") || n.Owners[0].PerHour != nil {
		t.Errorf("got %+v", n)
	}
	bare := Nodes([]*correlate.Node{correlate.Join(node("n", 1, 5), nil)}, []*correlate.Node{joined(node("n", 1, 5))}, Options{})[0]
	if len(bare.NotComparable) != 1 || !strings.Contains(bare.NotComparable[0].Why, "for the older report") {
		t.Errorf("got %+v", bare.NotComparable)
	}
}

// What comes out of a file may be anything.
func TestDeltasStayInBounds(t *testing.T) {
	huge, none := ^uint64(0), uint64(0)
	if d := deltaOf(&huge, &none, "", 1); d.Change != -(1<<63-1) || *d.Percent > -49 {
		t.Errorf("got %+v", d)
	}
	if d := deltaOf(&none, &huge, "", 0); d.Change != 1<<63-1 || d.Percent != nil || d.PerHour != nil {
		t.Errorf("got %+v", d)
	}
	if d := deltaOf(nil, &huge, "", 1); d.Change != 0 || d.PerHour != nil {
		t.Errorf("got %+v", d)
	}
}
