//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
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
	daemon, err := b.ready("deadfuse", mount)
	if daemon == nil {
		return err
	}
	defer func() { // with the daemon its connection ends, and whoever waits is released
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
		_ = syscall.Unmount(mount, syscall.MNT_DETACH)
	}()
	// Not this process: each of its children would close the file before it
	// executes anything, and a close waits for the daemon, too.
	holder, err := b.ready("loops", "hold", filepath.Join(mount, "held"))
	if holder == nil {
		return err
	}
	defer func() { _ = holder.Process.Kill() }()
	if err := daemon.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses, report.CollectContainers)
	req.FDs, req.AllFDs = true, true
	for _, c := range []command{
		{name: "nodedoc-probe: full report of descriptors", args: b.probeOnce(req)},
		{name: "lsof -b", args: []string{"lsof", "-b", "-w", "-nP"}},
		{name: "lsfd", args: []string{"lsfd", "-n"}},
		{name: "df", args: []string{"df"}},
	} {
		const patience = 5 * time.Second
		cost, err := b.time(patience, c.args...)
		switch {
		case err == errHung:
			fmt.Printf("  %-58s hung, killed after %s\n", c.name, patience)
		case err != nil:
			fmt.Printf("  %-58s %v\n", c.name, err)
		default:
			fmt.Printf("  %-58s answered in %s\n", c.name, short(cost.wall))
		}
	}
	return nil
}

// ready starts a program and waits until it says so; nil where it ends before.
func (b *bench) ready(name string, args ...string) (*exec.Cmd, error) {
	cmd := exec.CommandContext(b.ctx, b.tool(name), args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		return nil, fmt.Errorf("%s: %w", name, cmd.Wait())
	}
	return cmd, nil
}
