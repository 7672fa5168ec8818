package correlate

import (
	"slices"
	"testing"
)

// A node that is a namespace of its machine may see its neighbours' cgroups, which
// are named like its own.
func TestMemoryOutsideOfTheNodeIsNobodysHere(t *testing.T) {
	r := memNode(1, memCgroup("/", 4000, 0, 0, 0), memCgroup("/nd-1/system.slice/containerd.service", 100, 0, 0, 0), memCgroup("/nd-1/kubepods/pod"+memPodUID, 50, 0, 0, 0),
		memCgroup("/nd-2/system.slice/containerd.service", 1000, 0, 0, 0), memCgroup("/nd-2/kubepods/pod"+memGoneUID, 700, 0, 0, 0))
	lives(r, 1, 0, "init", 1, "memory:/nd-1/init.scope")
	lives(r, 2, 1, "containerd", 100, "memory:/nd-1/system.slice/containerd.service")
	got := rowTexts(Join(r, memInventory()).Memory(MemoryOptions{}).Rows)
	want := []string{"cgroup / 3849: a3849 f0 s0 k0", "kernel 592: a0 f0 s0 k692", "containerd.service 100: a100 f0 s0 k0", "prod/hub-0 50: a50 f0 s0 k0", "init.scope 1: a1 f0 s0 k0 [P]"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	r.Processes.KernelThreads = 60 // it is the machine itself
	if got := rowTexts(Join(r, memInventory()).Memory(MemoryOptions{}).Rows); got[0] != "cgroup / 2149: a2149 f0 s0 k0" {
		t.Errorf("got %q", got)
	}
}

// Hybrid: systemd has the v2 hierarchy, the memory controller is in v1's.
func TestMemoryOfHybridNodesIsThatOfTheControllersHierarchy(t *testing.T) {
	r := memNode(1, memCgroup("/", 2000, 0, 0, 0), memCgroup("/system.slice", 900, 0, 0, 0), memCgroup("/system.slice/docker.service", 500, 0, 0, 0))
	lives(r, 20, 1, "crond", 300, "memory:/system.slice", "name=systemd:/system.slice/crond.service", ":/system.slice/crond.service")
	lives(r, 21, 1, "dockerd", 500, "pids:/", "cpu,memory:/system.slice/docker.service", ":/system.slice/docker.service")
	got := rowTexts(Join(r, nil).Memory(MemoryOptions{}).Rows)
	want := []string{"cgroup / 1100: a1100 f0 s0 k0", "kernel 592: a0 f0 s0 k692", "docker.service 500: a500 f0 s0 k0", "crond.service 300: a300 f0 s0 k0 [P]", "cgroup /system.slice 100: a100 f0 s0 k0"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// RHEL 6 and nodes without systemd: a cgroup of v1 may not count what is below it.
func TestMemoryOfCgroupsThatDoNotCountTheirChildren(t *testing.T) {
	pod := "/kubepods/pod" + memPodUID
	r := memNode(1, memCgroup("/", 2000, 0, 0, 0), memCgroup("/kubepods", 1, 0, 0, 0), memCgroup(pod, 2, 0, 0, 0), memCgroup(pod+"/"+memContainer, 700, 0, 0, 0))
	r.Memory.NoHierarchy = true
	got := rowTexts(Join(r, memInventory()).Memory(MemoryOptions{}).Rows)
	want := []string{"cgroup / 1297: a1297 f0 s0 k0", "prod/hub-0 702: a702 f0 s0 k0", "kernel 592: a0 f0 s0 k692", "cgroup kubepods 1: a1 f0 s0 k0"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
