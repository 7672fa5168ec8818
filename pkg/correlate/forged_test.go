package correlate

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// hubNode has pod prod/hub-1 and beside it pod bank/vault, whose container's id
// is other.
func hubNode() *report.NodeReport {
	r := testNode()
	r.Containers.List = append(r.Containers.List, report.Container{ID: other, Name: "app", PodUID: victim, PodName: "vault", PodNamespace: "bank"})
	return r
}

func TestPipesNamedAfterAVictimBlameTheirHolder(t *testing.T) {
	r := hubNode()
	forged := []report.ExecFIFOs{{ContainerID: other, Count: 400, Sessions: 200}}
	r.Processes.List[4].FDs.ExecFIFOs = forged // java of prod/hub-1
	if list := Join(r, nil).ExecFIFOs(); list[0].Subject.Name() != "prod/hub-1" {
		t.Errorf("blamed %s: any container may make such paths in its own root", list[0].Subject.Name())
	}
	r.Processes.List[4].FDs.ExecFIFOs = nil
	r.Processes.List[1].FDs.ExecFIFOs = forged // containerd
	if list := Join(r, nil).ExecFIFOs(); list[0].Subject.Name() != "bank/vault" {
		t.Errorf("blamed %s: the runtime's pipes are the container's", list[0].Subject.Name())
	}
}

func TestShimBelowAShimIsAPodsProcess(t *testing.T) {
	r := hubNode()
	r.Processes.List = append(r.Processes.List, report.Process{PID: 70, PPID: 21, Comm: "containerd-shim", Cgroup: 3, Shim: &report.Shim{ID: other}})
	i, _ := Join(r, nil).Whois(70)
	if i.Owner.Name() != "prod/hub-1" || i.Shim != nil {
		t.Errorf("got %+v, shim of %+v", i.Owner, i.Shim)
	}
}

func TestChildOfAShimInAForeignCgroupHasLeft(t *testing.T) {
	r := hubNode()
	r.Processes.List = append(r.Processes.List, report.Process{PID: 71, PPID: 20, Comm: "sh", Cgroup: 3})
	n := Join(r, nil)
	i, _ := n.Whois(71)
	if i.OwnerBy != ByAncestor || i.Owner.Name() != "prod/hub-1" || i.Owner.Container != "" || i.Owner.Sandbox {
		t.Errorf("got %+v by %s", i.Owner, i.OwnerBy)
	}
}

func TestProcessMovedIntoAVictimsCgroupIsNoted(t *testing.T) {
	r := hubNode()
	r.Processes.Cgroups[3].Entries[0].Path = "/kubepods/pod" + victim + "/" + other
	i, _ := Join(r, nil).Whois(23)
	if notes := strings.Join(i.Notes, "\n"); !strings.Contains(notes, "prod/hub-1") || !strings.Contains(notes, "moved") {
		t.Errorf("owner %s, notes %q", i.Owner.Name(), i.Notes)
	}
}

func TestFastestIsTheSettledProcessThatGains(t *testing.T) {
	r := hubNode()
	r.Processes.List[4].FDs = &report.FDs{Count: 700, Before: new(600), Steps: []int{600, 650, 700}}
	r.Processes.List[3].FDs = fds(20000, 20000)
	row := Join(r, testInventory()).RankFDs(ByContainer).Rows[0]
	if row.Heaviest.PID != 21 || row.Fastest == nil || row.Fastest.PID != 22 || row.Fastest.Gained != 100 || !row.Fastest.Steady {
		t.Errorf("heaviest %+v, fastest %+v", row.Heaviest, row.Fastest)
	}
	r.Processes.List[4].FDs.Steps = []int{600, 750, 700}
	if row := Join(r, testInventory()).RankFDs(ByContainer).Rows[0]; row.Fastest.Steady {
		t.Error("a wave is not steady")
	}
}
