package cmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// noProcesses: without them there is nothing to answer from.
func noProcesses(r *report.NodeReport) error {
	return fmt.Errorf("the report has no processes%s", failures(r))
}

// failures says which collectors did not finish.
func failures(r *report.NodeReport) string {
	var b strings.Builder
	for _, f := range r.Probe.Failed {
		fmt.Fprintf(&b, "; %s: %s", f.What, f.Cause)
	}
	return b.String()
}

// noProcess says why a process is not found. A saved report tells of those only
// that it was made for.
func (f *sourceFlags) noProcess(n *correlate.Node, pid int) error {
	if f.from != "" && !slices.Contains(n.Report.Processes.Missing, pid) {
		return fmt.Errorf("process %d is not in the report of %s, which was made without asking for it: it may be a thread, or the kernel's", pid, n.Name())
	}
	return fmt.Errorf("process %d does not exist on %s, or has ended", pid, n.Name())
}
