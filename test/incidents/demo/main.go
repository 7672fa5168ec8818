// demo makes incident 1 happen on a throwaway cluster and lets nodedoc answer.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

const node = "nd-node-1"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: demo DIRECTORY-OF-BUILT-PROGRAMS")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(tools string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	c, err := incidents.Connect(tools)
	if err != nil {
		return err
	}
	if err := c.LoadActor(ctx, node); err != nil {
		return err
	}
	fmt.Println("\nMaking the incident: in one pod of prod, the child of a container's first process opens")
	fmt.Println("the named pipes of exec sessions and closes none. Innocent pods and daemons run beside it.")
	leak, err := incidents.NewFDLeak(ctx, c, node)
	if err != nil {
		return err
	}
	// A process that has just started is no leak: let it get old enough.
	time.Sleep(65 * time.Second)
	if err := nodedoc(c, "fd", node); err != nil {
		return err
	}
	java, err := c.OnNode(ctx, node, "pgrep", "-x", "java")
	if err != nil {
		return err
	}
	return nodedoc(c, "whois-pid", node, strings.Fields(java)[0], strconv.Itoa(leak.Dockerd))
}

// nodedoc runs the plugin as its user would, and shows the command.
func nodedoc(c *incidents.Cluster, args ...string) error {
	fmt.Println("\n$ kubectl nodedoc " + strings.Join(args, " "))
	plugin := exec.Command(filepath.Join(c.Tools, "kubectl-nodedoc"), args...)
	plugin.Stdout, plugin.Stderr = os.Stdout, os.Stderr
	return plugin.Run()
}
