//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"
	"time"
)

// stateDisksFull: no pod starts where the kubelet or the runtime
// cannot write what they must. That is said, and what remains.
func stateDisksFull(t *testing.T, p place) {
	for _, dir := range []string{"/var/lib/kubelet/pods", "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes",
		"/var/lib/containerd/io.containerd.grpc.v1.cri/containers", "/run/containerd/io.containerd.runtime.v2.task/k8s.io"} {
		t.Run(dir, func(t *testing.T) {
			onThisNode(t, p.node, "mount -t tmpfs -o size=64k full "+dir+" && cat /dev/zero >"+dir+"/full 2>/dev/null; ! echo more >>"+dir+"/full")
			// Lazily: the runtime may still have a file open.
			restore := func() { onThisNode(t, p.node, "! mountpoint -q "+dir+" || umount -l "+dir) }
			t.Cleanup(restore)
			r := p.runDirty(t, time.Minute, "fd", p.node, "--start-timeout", "8s")
			restore()
			p.cleanWithin(t, time.Minute)
			refused(t, r, dir, "no space left on device", "a filesystem of the node is full", "kubectl nodedoc script "+p.node)
		})
	}
}

// pidsUsedUp: no pod starts, and why. A probe that runs goes on.
func pidsUsedUp(t *testing.T, p place) {
	b := p.start(t, "fd", p.node, "--interval", "4s")
	p.samples(t)
	release := usePIDsUp(t, p.node)
	r := b.end(t, time.Minute)
	release()
	answered(t, r)
	p.cleanWithin(t, time.Minute)

	release = usePIDsUp(t, p.node)
	r = p.runDirty(t, time.Minute, "fd", p.node, "--start-timeout", "8s")
	release()
	p.cleanWithin(t, time.Minute)
	refused(t, r, "esource temporarily unavailable", "has no process IDs left", "kubectl nodedoc script "+p.node)
}

// usePIDsUp lets no more processes and threads start on a node. Nobody can log
// in there meanwhile, so it is done from outside.
func usePIDsUp(t *testing.T, node string) (release func()) {
	t.Helper()
	dir := "/sys/fs/cgroup/pids/" + node
	if _, err := os.Stat(dir); err != nil {
		dir = "/sys/fs/cgroup/" + node // version 2
	}
	limit := func(n []byte) {
		if err := os.WriteFile(dir+"/pids.max", n, 0o644); err != nil {
			t.Error(err)
		}
	}
	now, err := os.ReadFile(dir + "/pids.current")
	if err != nil {
		t.Fatal(err)
	}
	release = func() { limit([]byte("max")) }
	t.Cleanup(release)
	limit(now)
	return release
}

// volumeToUnmount: the probe sees the host's mounts in no namespace
// of its own, so what is unmounted while it runs is gone.
func volumeToUnmount(t *testing.T, p place) {
	const dir, holders = "/var/lib/kubelet/fault-volume", "grep -l fault-volume /proc/[0-9]*/mountinfo 2>/dev/null || true"
	unmount := "! mountpoint -q " + dir + " || umount " + dir
	onThisNode(t, p.node, "mkdir -p "+dir+" && mount -t tmpfs -o size=64k fault-volume "+dir)
	t.Cleanup(func() { onThisNode(t, p.node, unmount+"; rmdir "+dir) })
	b := p.start(t, "fd", p.node, "--interval", "4s")
	_, pid := p.samples(t)
	for file := range strings.FieldsSeq(onThisNode(t, p.node, holders)) {
		if file == "/proc/"+pid+"/mountinfo" {
			t.Errorf("the probe's namespace has the volume:\n%s", onThisNode(t, p.node, "cat "+file))
		}
	}
	onThisNode(t, p.node, unmount)
	if left := onThisNode(t, p.node, holders); left != "" {
		t.Errorf("unmounted, and still in %s", left)
	}
	answered(t, b.end(t, time.Minute))
	p.clean(t)
}
