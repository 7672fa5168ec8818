//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// deadFUSE: a process holds a file of a FUSE mount whose daemon no longer
// answers. Who touches the mount waits for ever.
func (b *bench) deadFUSE() error {
	fmt.Println("\na process holds a file of a dead FUSE mount")
	mount := filepath.Join(b.dir, "fuse")
	if err := os.Mkdir(mount, 0o755); err != nil {
		return err
	}
	daemon, err := b.start("deadfuse", mount)
	if err != nil {
		fmt.Println("  not measured:", err)
		return nil
	}
	defer func() { // with the daemon its connection ends, and whoever waits is released
		daemon.kill()
		_ = syscall.Unmount(mount, syscall.MNT_DETACH)
	}()
	// Not this process: each of its children would close the file before it
	// executes anything, and a close waits for the daemon, too.
	// It ends with the stage: while the daemon is stopped it could not.
	if _, err := b.start("loops", "hold", filepath.Join(mount, "held")); err != nil {
		return err
	}
	if err := daemon.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses, report.CollectContainers, report.CollectMounts)
	req.FDs, req.AllFDs = true, true
	types := req
	types.FileTypes = true
	patience := 5 * time.Second
	if b.small {
		patience = time.Second
	}
	for _, c := range []command{
		{name: "nodedoc-probe: full report of descriptors and mounts", args: b.probeOnce(req)},
		{name: "nodedoc-probe: the same, and types of files", args: b.probeOnce(types)},
		{name: "lsof -b", args: []string{"lsof", "-b", "-w", "-nP"}},
		{name: "lsfd", args: []string{"lsfd", "-n"}},
		{name: "df", args: []string{"df"}},
	} {
		cost, err := b.time(patience, c.args...)
		switch {
		case errors.Is(err, errHung):
			fmt.Printf("  %-58s hung, killed after %s\n", c.name, patience)
		case err != nil:
			fmt.Printf("  %-58s %v\n", c.name, err)
		default:
			fmt.Printf("  %-58s answered in %s\n", c.name, short(cost.wall))
		}
	}
	return nil
}
