//go:build linux

// nodedoc-probe reads a node's files and reports: the node side of
// kubectl-nodedoc, which streams it into a pod and runs it there.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/probe"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// version is set by the linker.
var version = "devel"

// patience of a probe that came with its image, with a client.
const patience = 2 * time.Minute

const usage = `usage: nodedoc-probe [--proc DIR] [--sys DIR] [--root DIR] COMMAND
  serve NONCE     answer a kubectl-nodedoc on stdin and stdout
  await NONCE     the same, after a first line with the nonce: for images that hold the probe
  standby NONCE DIR
                  stay, answer one client after another, and keep the last report in DIR
  report REQUEST  print the report for a request (JSON), for tests and bug reports
`

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "nodedoc-probe:", err)
		os.Exit(1)
	}
}

// beModest keeps to one core and to little memory: the node is sick. A call
// that blocks in the kernel gives its core to the other goroutines.
func beModest() {
	const heapGrowth = 25 // percent until garbage is collected
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(heapGrowth)
	reserveThreads(enoughThreads)
}

func run() error {
	beModest()
	fs := hostfs.FS{}
	flag.StringVar(&fs.Proc, "proc", "/proc", "")
	flag.StringVar(&fs.Sys, "sys", "/sys", "")
	flag.StringVar(&fs.Root, "root", "", "default: found through PID 1 or the kubelet")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()
	findRoot := func() (string, error) { return probe.FindRoot(fs.Proc) }
	if given := fs.Root; given != "" {
		findRoot = func() (string, error) { return given, nil }
	}
	if flag.NArg() == 3 && flag.Arg(0) == "standby" {
		return standby(fs, findRoot, flag.Arg(1), flag.Arg(2))
	}
	var err error
	if fs.Root, err = findRoot(); err != nil {
		return err
	}
	switch {
	case flag.NArg() == 2 && flag.Arg(0) == "serve":
		return probe.Serve(context.Background(), os.Stdin, os.Stdout, flag.Arg(1), version, fs)
	case flag.NArg() == 2 && flag.Arg(0) == "await":
		if err := probe.Await(context.Background(), os.Stdin, flag.Arg(1), patience); err != nil {
			return err
		}
		return probe.Serve(context.Background(), os.Stdin, os.Stdout, flag.Arg(1), version, fs)
	case flag.NArg() == 2 && flag.Arg(0) == "report":
		return printReport(fs, flag.Arg(1))
	}
	flag.Usage()
	os.Exit(2)
	return nil
}

// standby ends by SIGTERM, with which it leaves nothing behind. A runtime that was
// restarted may have closed its stdout, which must not end it.
func standby(fs hostfs.FS, findRoot func() (string, error), nonce, dir string) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	signal.Ignore(syscall.SIGPIPE)
	return probe.Standby(ctx, os.Stdin, os.Stdout, nonce, version, dir, fs, findRoot)
}

func printReport(fs hostfs.FS, request string) error {
	var req report.Request
	if err := json.Unmarshal([]byte(request), &req); err != nil {
		return fmt.Errorf("failed to read the request: %w", err)
	}
	r, err := probe.Collect(context.Background(), fs, version, req)
	if err != nil {
		return err
	}
	return report.WriteJSON(os.Stdout, r)
}
