package cmd

import (
	"fmt"

	"github.com/nodedoc/kubectl-nodedoc/pkg/unmount"
)

// printScript writes the umounts of one node.
func (o *mountsOptions) printScript(m nodeMounts) error {
	if m.mounts.Leaked.Volumes == 0 && m.mounts.Leaked.Mounts == 0 {
		fmt.Fprintf(o.streams.ErrOut, "nothing is leaked on %s: the script does nothing\n", m.mounts.Node)
	}
	return unmount.Script(o.streams.Out, unmount.Plan{Node: m.mounts.Node, Is: m.is, Namespace: m.namespace, PID: m.pid, Table: m.table, Volumes: m.mounts.Volumes,
		Again: o.nodedoc("mounts " + m.mounts.Node + " --leaked"), Version: o.version})
}
