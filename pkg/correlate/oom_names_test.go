package correlate

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// goneKilled is a node that remembers nothing of a pod but its kill.
func goneKilled(comm string) *report.NodeReport {
	gone := "/kubepods/pod" + oomGone
	r := oomNode(oomHost, 99, killedIn(90, comm, gone, gone+"/"+oomID(3)))
	r.Containers = nil
	return r
}

func TestOOMNamesByEvents(t *testing.T) {
	const kill = 1_700_000_090
	name := func(change func(*inventory.PodName)) *inventory.Inventory {
		p := inventory.PodName{UID: oomGone, Namespace: "batch", Pod: "import-7", Containers: []string{"import"}, First: kill - 60}
		change(&p)
		return &inventory.Inventory{Memory: &inventory.Memory{PodNames: []inventory.PodName{{UID: oomPod, Pod: "x"}, p}}}
	}
	for what, c := range map[string]struct {
		comm   string
		change func(*inventory.PodName)
		want   string
	}{
		"from before the kill":           {"rsync", func(*inventory.PodName) {}, "batch/import-7 [import] rsync pod ×1 gone 90–90"},
		"clocks differ":                  {"rsync", func(p *inventory.PodName) { p.First = kill + 5 }, "batch/import-7 [import] rsync pod ×1 gone 90–90"},
		"all of its life, for long":      {"rsync", func(p *inventory.PodName) { p.First, p.Scheduled = kill-86_400, true }, "batch/import-7 [import] rsync pod ×1 gone 90–90"},
		"what was first has expired":     {"rsync", func(p *inventory.PodName) { p.First = kill - 3_600 }, "batch/import-7 [] rsync pod ×1 gone 90–90"},
		"of after the kill only":         {"rsync", func(p *inventory.PodName) { p.First = kill + 600 }, "batch/import-7 [] rsync pod ×1 gone 90–90"},
		"there were more":                {"rsync", func(p *inventory.PodName) { p.First = 0 }, "batch/import-7 [] rsync pod ×1 gone 90–90"},
		"two containers":                 {"rsync", func(p *inventory.PodName) { p.Containers, p.Scheduled = []string{"a", "b"}, true }, "batch/import-7 [] rsync pod ×1 gone 90–90"},
		"of no container":                {"rsync", func(p *inventory.PodName) { p.Containers = nil }, "batch/import-7 [] rsync pod ×1 gone 90–90"},
		"the sandbox is none":            {"pause", func(*inventory.PodName) {}, "batch/import-7 [] pause pod ×1 gone 90–90"},
		"another pod has this name, too": {"rsync", func(p *inventory.PodName) { p.Namespace, p.Pod = "prod", "hub-0" }, "prod/hub-0 [import] rsync pod ×1 replaced 90–90"},
	} {
		inv := name(c.change)
		inv.Pods = []inventory.Pod{{Namespace: "prod", Name: "hub-0", UID: oomPod}}
		checkVictims(t, what, goneKilled(c.comm), inv, []string{c.want})
	}
}

// What the node itself still has is not overruled, and each source is told.
func TestOOMNamesAndTheirSources(t *testing.T) {
	pods := []report.PodRecord{{UID: oomGone, Namespace: "batch", Name: "import"}}
	ended := []report.ContainerRecord{{ID: oomID(3), Name: "copy", Namespace: "batch", Pod: "import"}}
	runtime := []report.Container{{ID: oomID(3), Name: "app", PodUID: oomGone, PodName: "import", PodNamespace: "batch"}}
	for what, c := range map[string]struct {
		containers *report.Containers
		pod        string
		want       string
	}{
		"nothing but events":       {nil, "import", "batch/import [import] [its events]"},
		"its directory of logs":    {&report.Containers{Pods: pods}, "import", "batch/import [import] [/var/log/pods its events]"},
		"the events of another":    {&report.Containers{Pods: pods}, "other", "batch/import [] [/var/log/pods]"},
		"the link to its log":      {&report.Containers{Ended: ended}, "import", "batch/import [copy] [/var/log/containers]"},
		"both":                     {&report.Containers{Pods: pods, Ended: ended}, "import", "batch/import [copy] [/var/log/pods /var/log/containers]"},
		"the runtime remembers it": {&report.Containers{List: runtime}, "import", "batch/import [app] [the runtime's files]"},
	} {
		r := goneKilled("rsync")
		r.Containers = c.containers
		n := Join(r, &inventory.Inventory{Memory: &inventory.Memory{PodNames: []inventory.PodName{
			{UID: oomGone, Namespace: "batch", Pod: c.pod, Containers: []string{"import"}, Scheduled: true}}}})
		v := n.OOMVictims()[0]
		if got := fmt.Sprintf("%s [%s] %v", v.Owner.Name(), v.Owner.Container, v.NamedBy); got != c.want {
			t.Errorf("%s: got %s, want %s", what, got, c.want)
		}
	}
}

func TestUnnamedVictims(t *testing.T) {
	in := func(i int) string { return fmt.Sprintf("/kubepods/pod%08d-1f00-4c6e-9d51-0242ac120002", i) }
	r := oomNode(oomHost, 99, killedIn(80, "x", in(1), in(1)+"/"+oomID(1)), killedIn(90, "x", in(2), in(2)+"/"+oomID(2)), killedIn(95, "x", in(1), in(1)+"/"+oomID(1)),
		killedIn(96, "java", oomPath, oomPath+"/"+oomID(2)), killedIn(97, "x", "/system.slice", "/system.slice/x.service"), killedIn(98, "x", in(3), in(3)+"/"+oomID(3)))
	r.Containers = &report.Containers{List: []report.Container{{ID: oomID(3), Name: "app", PodUID: in(3)[len("/kubepods/pod"):], PodName: "p", PodNamespace: "n"}}}
	want := []string{"00000001-1f00-4c6e-9d51-0242ac120002", "00000002-1f00-4c6e-9d51-0242ac120002"}
	if got := Join(r, oomInventory()).UnnamedVictims(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}
