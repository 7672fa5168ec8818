package diagnose

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// A command is only told where it is true and safe to paste.
func TestRemedyNamesThePodOnlyWhere(t *testing.T) {
	replaced := hubInventory()
	replaced.Pods[0].UID, replaced.Pods[0].Containers = "0c0e0f4e-0000-4000-8000-000000000000", nil
	for name, c := range map[string]struct {
		inv         *inventory.Inventory
		pod         string
		get, delete bool
	}{
		"the API server knows it":        {hubInventory(), "hub-0", true, true},
		"the API server was not asked":   {nil, "hub-0", true, false},
		"the API server refused":         {&inventory.Inventory{PodsError: "forbidden"}, "hub-0", true, false},
		"gone":                           {&inventory.Inventory{}, "hub-0", false, false},
		"another has its name":           {replaced, "hub-0", false, false},
		"the node names it like a shell": {nil, "hub-0;reboot", false, false},
		"the node names it like a flag":  {nil, "--all", false, false},
		"the node does not name it":      {nil, "", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := incident1()
			r.Containers.List[0].PodName = c.pod
			remedy := ""
			for _, step := range diagnosed(r, c.inv)[0].Remedy {
				remedy += step.Do + ": " + step.Run + "\n"
			}
			if got := strings.Contains(remedy, "kubectl -n prod get pod hub-0 "); got != c.get {
				t.Errorf("get pod: %v, want %v, in %s", got, c.get, remedy)
			}
			if got := strings.Contains(remedy, "delete pod"); got != c.delete {
				t.Errorf("delete pod: %v, want %v, in %s", got, c.delete, remedy)
			}
			if strings.Contains(remedy, "reboot") || strings.Contains(remedy, "--all") {
				t.Errorf("a name of the node's choice is in a command: %s", remedy)
			}
		})
	}
}
