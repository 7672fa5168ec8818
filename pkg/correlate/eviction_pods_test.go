package correlate

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func TestEvictedPods(t *testing.T) {
	const low = "The node was low on resource: memory. Threshold quantity: 500Mi, available: 497Mi. "
	evicted := func(name, uid, message string, at int64) inventory.Event {
		return inventory.Event{Reason: "Evicted", Namespace: "prod", Pod: name, PodUID: uid, Message: message, Last: at}
	}
	inv := &inventory.Inventory{
		Pods: []inventory.Pod{
			{Namespace: "prod", Name: "hub-0", UID: "new", Phase: "Running"},
			{Namespace: "prod", Name: "web-1", UID: "u-web", Phase: "Failed", Reason: "Evicted", Message: low, Workload: "Deployment/web", EndedAt: 50},
			{Namespace: "prod", Name: "shm-1", UID: "u-shm", Phase: "Failed", Reason: "Evicted", Message: `Usage of EmptyDir volume "shm" exceeds the limit "1Gi". `, MemoryVolumes: []inventory.MemoryVolume{{Name: "shm"}}, EndedAt: 400},
			{Namespace: "prod", Name: "disk-1", UID: "u-disk", Phase: "Failed", Reason: "Evicted", Message: `Usage of EmptyDir volume "data" exceeds the limit "1Gi". `},
			{Namespace: "prod", Name: "refused", UID: "u-ref", Phase: "Failed", Reason: "Evicted", Message: "The node had condition: [MemoryPressure]. "},
			{Namespace: "prod", Name: "newer", UID: "u-newer", Phase: "Failed", Reason: "Evicted", Message: "Pod was rejected: The node had condition: [MemoryPressure]. ", StartedAt: 30},
			{Namespace: "prod", Name: "no-room", UID: "u-room", Phase: "Failed", Reason: "OutOfmemory", Message: "Node didn't have enough resource: memory, requested: 2, used: 1, capacity: 2", StartedAt: 20},
			{Namespace: "prod", Name: "no-cpu", UID: "u-cpu", Phase: "Failed", Reason: "OutOfcpu"},
			{Namespace: "prod", Name: "ends-well", UID: "u-well", Phase: "Succeeded"},
		},
		Memory: &inventory.Memory{Events: []inventory.Event{
			evicted("hub-0", "old", low, 300), evicted("gone-0", "u-gone", "The node was low on compute resources.", 200), evicted("web-1", "u-web", low, 100), evicted("ends-well", "u-well", low, 90),
			evicted("full-0", "u-full", "The node was low on resource: ephemeral-storage. ", 500), {Reason: "SystemOOM", Last: 600}, {Reason: "Evicted", Last: 700, Message: low}}}}
	var got []string
	for _, e := range Join(&report.NodeReport{}, inv).EvictedPods() {
		at := "-"
		if e.At != nil {
			at = e.At.Format("05")
		}
		what := ""
		if e.Refused {
			what = " refused"
		}
		got = append(got, e.Owner.Pod+" "+string(e.Owner.PodState)+" "+at+what)
	}
	if want := "shm-1 known 40,hub-0 replaced 00,gone-0 gone 20,web-1 known 40,ends-well known 30,newer known 30 refused,no-room known 20 refused,refused known - refused"; strings.Join(got, ",") != want {
		t.Errorf("got %s", strings.Join(got, ","))
	}
}

func TestEvictedPodsWhereThePodsAreNotKnown(t *testing.T) {
	inv := &inventory.Inventory{PodsError: "forbidden", Memory: &inventory.Memory{Events: []inventory.Event{{Reason: "Evicted", Pod: "p", Namespace: "n", PodUID: "u", Message: "resource: memory"}}}}
	if got := Join(&report.NodeReport{}, inv).EvictedPods(); len(got) != 1 || got[0].Owner.PodState != PodUnasked {
		t.Errorf("got %+v", got)
	}
	if got := Join(&report.NodeReport{}, nil).EvictedPods(); got == nil || len(got) != 0 {
		t.Errorf("got %v", got)
	}
}
