//go:build linux

package probe

import (
	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// worthALimit is the number of descriptors from which a limit may be near: no
// program runs with one of less than some hundred.
const worthALimit = 64

func (t *table) addLimit(p *report.Process) {
	b, err := t.proc.ReadPID(p.PID, "limits")
	if err != nil {
		t.failed("limits", err, false)
		return
	}
	l, ok := hostfs.FindLimit(b, hostfs.LimitOpenFiles)
	if !ok {
		t.bad.add("/proc/PID/limits", errTorn)
		return
	}
	p.FDs.Limit = &report.FDLimit{Soft: l.Soft, Hard: l.Hard}
}
