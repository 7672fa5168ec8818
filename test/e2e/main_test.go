//go:build e2e

// Package e2e tests the built programs as black boxes on a real cluster: run it
// through `make e2e`.
package e2e

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// node is where most tests happen.
const node = "nd-node-1"

var cluster *incidents.Cluster

func TestMain(m *testing.M) {
	// Under nohup the plugin would rightly inherit an ignored SIGHUP. A signal
	// that is caught here is back at its default in what is started.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	if err := connect(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: these tests need root and a throwaway cluster (make e2e):", err)
		os.Exit(1)
	}
	code := m.Run()
	if err := noContainersLeft(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func connect() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if cluster, err = incidents.Connect("../../dist"); err != nil {
		return err
	}
	return cluster.LoadActor(ctx)
}
