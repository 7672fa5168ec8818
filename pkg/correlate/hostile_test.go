package correlate

import (
	"encoding/json"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

func TestPodAnnotatedWithAVictimsUIDTakesNothing(t *testing.T) {
	fake := inventory.Pod{Namespace: "evil", Name: "mirror", UID: "x", ConfigHash: uid}
	for _, order := range [][]inventory.Pod{{fake, testInventory().Pods[0]}, {testInventory().Pods[0], fake}} {
		n := Join(testNode(), &inventory.Inventory{Pods: order})
		if o := n.Blame(n.processes[22]).Owner; o.Name() != "prod/hub-1" || o.Static {
			t.Errorf("blamed %+v", o)
		}
	}
}

func TestWhoisOfATimeThatJSONCannotTell(t *testing.T) {
	for _, boot := range []int64{1 << 60, -1 << 60, 253402300800, 1 << 40} {
		r := testNode()
		r.Node.BootTime = boot
		i, _ := Join(r, nil).Whois(22)
		if _, err := json.Marshal(i); err != nil {
			t.Errorf("boot time %d: %v", boot, err)
		}
	}
}
