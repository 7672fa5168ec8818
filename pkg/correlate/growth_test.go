package correlate

import (
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// A storm of short-lived processes: none is there at both counts, and only the
// sums tell whether their pod grows.
func TestGrowthByProcessesThatComeAndGo(t *testing.T) {
	for name, c := range map[string]struct {
		before int
		want   float64
	}{
		"as many as before": {957, 0},
		"more":              {557, 200},
		"fewer":             {1157, -100},
		"all new":           {0, 478.5},
	} {
		t.Run(name, func(t *testing.T) {
			r := testNode()
			r.Processes.Cgroups[2].FDsBefore = c.before
			r.Processes.List[3].FDs = &report.FDs{Count: 900}
			r.Processes.List[4].FDs = &report.FDs{Count: 57}
			r.Processes.List = append(r.Processes.List[:7], r.Processes.List[8:]...) // without the shim's helper
			for _, by := range []By{ByPod, ByContainer, ByWorkload} {
				row := Join(r, testInventory()).RankFDs(by).Rows[0]
				if row.PerSecond == nil || *row.PerSecond != c.want || row.SettledPerSecond != 0 {
					t.Errorf("by %s: %+v, want %v/s", by, row, c.want)
				}
			}
		})
	}
}
