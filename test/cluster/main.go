// Cluster makes a real, throwaway Kubernetes on one Linux machine, and takes it down again without a trace.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/node"
)

const usage = `Makes a real, throwaway Kubernetes on this machine. Needs root, Go, and a Debian.

  cluster up   [--nodes 2] [--vms 0] [--dir DIR]   make a cluster; returns when its nodes are ready
  cluster down [--dir DIR]                         take it down without a trace
  cluster run  [--nodes 2] [--vms 0] [--dir DIR] -- COMMAND
                                                   up, run COMMAND with KUBECONFIG and NODEDOC_CLUSTER_DIR set, down
  cluster restart [--dir DIR] COMPONENT            kill a component of the control plane, such as kube-apiserver, or a
                                                   node's, such as NODE/kubelet, if it still lives, and start it again
  cluster apiserver [--dir DIR] --admission PLUGIN[,PLUGIN] -- COMMAND
                                                   run COMMAND with KUBECONFIG set to a second API server of the cluster,
                                                   which has these admission plugins, too
  cluster exec [--dir DIR] NODE -- COMMAND         run COMMAND on a node
  cluster load [--dir DIR] --image NAME[:TAG] [--base busybox] [--entrypoint ARG]... [--node NODE]... FILE[=PATH/IN/IMAGE]...
                                                   make an image of files and put it on every node, or on these
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := dispatch(ctx, os.Args[1:])
	stop()
	var exit exitError
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(usage)
	case errors.As(err, &exit):
		if err != error(exit) {
			fmt.Fprintln(os.Stderr, "cluster:", err)
		}
		os.Exit(exit.code)
	default:
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return exitError{2}
	}
	name, args := args[0], args[1:]
	// What the cluster calls by itself.
	switch name {
	case "node-init":
		if len(args) == 3 {
			return node.Init(args[0], args[1], args[2])
		}
	case "node-reap":
		return node.Reap()
	case "node-run":
		if len(args) > 1 {
			return node.Run(args[0], args[1:])
		}
	case "join":
		if len(args) > 1 {
			return node.Exec(args[0], args[1:])
		}
	case "node-start":
		if len(args) > 1 {
			return node.Start(args[0], args[1:])
		}
	}
	o, err := parseOptions(name, args)
	if err != nil {
		return err
	}
	return o.run(ctx, newProgress(os.Stderr))
}
