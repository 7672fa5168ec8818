package diagnose

import (
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// Two descriptors per sample of a second: too few for one look, not for ten.
func TestAWatchFindsWhatOneSampleCannot(t *testing.T) {
	w := correlate.NewWindow()
	for i := range 10 {
		r := add(newNode(), process(22, "java", inPod, 1000+2*i, 1002+2*i))
		r.Node.Uptime += float64(i)
		r.Processes.FDIntervalMillis = 1000
		if alone := diagnosed(r, hubInventory()); len(alone) != 0 {
			t.Fatalf("sample %d alone: %+v", i, alone)
		}
		long := diagnosed(w.Add(r), hubInventory())
		if i == 9 && (len(long) != 1 || long[0].ID != FDGrowth) {
			t.Errorf("after ten: %+v", long)
		}
	}
}

// 0.3 per second is 26,000 a day.
func TestALongLookFindsASlowLeak(t *testing.T) {
	r := add(newNode(), process(22, "java", inPod, 1000, 1018))
	r.Processes.FDIntervalMillis = 60_000
	if got := said(diagnosed(r, hubInventory())); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}
