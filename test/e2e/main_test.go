//go:build e2e

// Package e2e tests the built programs as black boxes on a real cluster: run it
// through `make e2e`.
package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// node is where most tests happen.
const node = "nd-node-1"

// sickNode is the one whose kubelet, runtime and disk are used.
var sickNode = flag.String("sick-node", "nd-node-2", "the node to harm")

var cluster *incidents.Cluster

func TestMain(m *testing.M) {
	// Under nohup the plugin would rightly inherit an ignored SIGHUP. A signal
	// that is caught here is back at its default in what is started.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	flag.Parse()
	if err := connect(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: these tests need root and a throwaway cluster (make e2e):", err)
		os.Exit(1)
	}
	seen.watch(context.Background())
	code := m.Run()
	for _, node := range used() {
		if err := noContainersLeft(context.Background(), node); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// used are the nodes that tests use.
func used() []string {
	nodes := []string{node, *sickNode, *storageNode}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

func connect() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if cluster, err = incidents.Connect("../../dist"); err != nil {
		return err
	}
	return cluster.LoadActor(ctx, used()...)
}
