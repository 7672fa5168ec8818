package diagnose

import (
	"fmt"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// IDs of the rules about file descriptors.
const (
	FDNodeLimit      = "fd-node-limit"
	FDGrowth         = "fd-growth"
	ExecFIFOs        = "fd-exec-fifos"
	CloseWait        = "fd-close-wait"
	RuntimeClients   = "fd-runtime-clients"
	DeletedFiles     = "fd-deleted-files"
	FDProcessLimit   = "fd-process-limit"
	InotifyInstances = "inotify-instances"
	InotifyWatches   = "inotify-watches"
	FDNoTable        = "fd-no-table"
)

// whoisCommand asks about a process of this node; without the API server's word
// for the node's name, of this machine.
func whoisCommand(n *correlate.Node, pid int) string {
	return fmt.Sprintf("kubectl nodedoc whois-pid %s %d", place(n), pid)
}

// fdCommand shows all that a process has open, looking for some seconds.
func fdCommand(n *correlate.Node, pid int, interval string) string {
	command := fmt.Sprintf("kubectl nodedoc fd %s --pid %d", place(n), pid)
	if interval != "" {
		command += " --interval " + interval
	}
	return command
}

func place(n *correlate.Node) string {
	switch {
	case n.Inventory != nil:
		return n.Name()
	case !n.Elsewhere:
		return "--local"
	case shellSafe(n.Name()): // the node's word for it
		return n.Name()
	}
	return "NODE"
}

// deletePod is how to end what a pod holds, where a command may name it.
func deletePod(o correlate.Owner, do string) []Step {
	if !namable(o) || o.PodState != correlate.PodKnown {
		return nil
	}
	return []Step{{Do: do, Run: fmt.Sprintf("kubectl -n %s delete pod %s", o.Namespace, o.Pod)}}
}

// isHost says whether an owner is a part of the host, on which every pod depends.
func isHost(o correlate.Owner) bool {
	return o.Type == correlate.OwnerUnit || o.Type == correlate.OwnerCgroup
}
