//go:build e2e && vm

package main

import (
	"os/exec"
	"strings"
	"testing"
)

// A node that is a virtual machine leaves as little behind as any other, and is entered like any other.
func TestVMLeavesNoTrace(t *testing.T) {
	program, machine := buildProgram(t), readTraces(t)
	t.Cleanup(func() { _ = exec.Command(program, "down", "--dir", testDir).Run() })
	cluster(t, program, "up", "--nodes", "1", "--vms", "1", "--dir", testDir)
	if got := cluster(t, program, "exec", "--dir", testDir, "nd-vm-1", "--", "echo", "it's $HOME", "a  b"); got != "it's $HOME a  b\n" {
		t.Errorf("the arguments arrive as %q", got)
	}
	if got := cluster(t, program, "exec", "--dir", testDir, "nd-vm-1", "--", "sh", "-c", "hostname; cat /proc/1/comm; stat -fc %T /sys/fs/cgroup"); got != "nd-vm-1\nsystemd\ncgroup2fs\n" {
		t.Errorf("the node says %q", got)
	}
	cluster(t, program, "load", "--dir", testDir, "--image", "tool:1", program+"=/tool")
	if got := cluster(t, program, "exec", "--dir", testDir, "nd-vm-1", "--", "ctr", "--namespace=k8s.io", "images", "ls", "-q"); !strings.Contains(got, "docker.io/library/tool:1\n") {
		t.Errorf("the node has the images %q", got)
	}
	cluster(t, program, "down", "--dir", testDir)
	machine.requireNoTraces(t, testDir)
}

// The emulator outlives what started it, half-booted machine and all.
func TestDownAfterKilledUpWithVM(t *testing.T) {
	program, machine := buildProgram(t), readTraces(t)
	t.Cleanup(func() { _ = exec.Command(program, "down", "--dir", testDir).Run() })
	killUpAt(t, "nd-node-1 has a containerd", program, "up", "--nodes", "1", "--vms", "1", "--dir", testDir)
	cluster(t, program, "down", "--dir", testDir)
	machine.requireNoTraces(t, testDir)
}
