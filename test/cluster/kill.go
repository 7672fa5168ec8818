package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// instanceVariable is in the environment of every process that a cluster starts, and names the cluster's directory.
const instanceVariable = "NODEDOC_CLUSTER_INSTANCE"

// members lists the living processes of a cluster: those that it started, and those in its control groups.
func members(l layout) ([]int, error) {
	pids, err := processes()
	if err != nil {
		return nil, err
	}
	marker := []byte("\x00" + instanceVariable + "=" + l.dir + "\x00")
	var ours []int
	for _, pid := range pids {
		if pid == os.Getpid() || !alive(pid) {
			continue
		}
		environment, _ := os.ReadFile(procFile(pid, "environ"))
		groups, _ := os.ReadFile(procFile(pid, "cgroup"))
		if bytes.Contains(append([]byte{0}, environment...), marker) || inOurGroup(string(groups)) {
			ours = append(ours, pid)
		}
	}
	return ours, nil
}

// inOurGroup reads /proc/PID/cgroup, one hierarchy per line:
//
//	4:memory:/nd-node-1/system.slice/kubelet.service
func inOurGroup(groups string) bool {
	for line := range strings.Lines(groups) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) < 3 {
			continue
		}
		if top, _, _ := strings.Cut(strings.TrimPrefix(fields[2], "/"), "/"); ourGroup(top) {
			return true
		}
	}
	return false
}

// ourGroup says whether a top-level control group is a cluster's.
func ourGroup(name string) bool {
	return name == controlRoot || ourLink.MatchString(name)
}

// killAll kills the processes of a cluster until none is left: as long as a containerd lives, it may start more.
func killAll(ctx context.Context, l layout) error {
	for {
		pids, err := members(l)
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
				return fmt.Errorf("failed to kill process %d: %w", pid, err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("failed to kill processes %v: look at /proc/PID/stack for what holds them: %w", pids, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
