//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The nodes' image with a shell, and the name that keeps it from being
// collected while it is away.
const (
	shellImages = "docker.io/library/busybox:1 docker.io/library/busybox:latest"
	keptImage   = "nodedoc.test/kept:1"
)

// TestHostShell takes every image with a shell from a node. Any other serves,
// with the node's own shell, and nothing is left of it.
func TestHostShell(t *testing.T) {
	onNode(t, "ctr -n k8s.io images tag docker.io/library/busybox:1 "+keptImage+" && ctr -n k8s.io images rm "+shellImages)
	t.Cleanup(func() {
		onNode(t, "for i in "+shellImages+"; do ctr -n k8s.io images tag "+keptImage+" $i; done && ctr -n k8s.io images rm "+keptImage)
		eventually(t, "the node lists busybox again", 2*time.Minute, func() bool { return listsImage(t, "/busybox:") })
	})
	// The kubelet posts what has changed within a minute.
	eventually(t, "the node no longer lists busybox", 2*time.Minute, func() bool { return !listsImage(t, "/busybox:") })

	root := onNode(t, "ls -A /")
	for _, profile := range []string{"sysadmin", "minimal"} {
		r := nodedoc(t, "fd", node, "--profile", profile, "--interval", "200ms")
		if r.code != 0 || !strings.Contains(r.stdout, "kubelet.service") {
			t.Fatalf("%s: exit code %d, %s%s", profile, r.code, r.stderr, r.stdout)
		}
		for _, want := range []string{"carry a shell", "the node's own", "mounted read-only into image registry.k8s.io/pause:", "--image"} {
			if !strings.Contains(r.stderr, want) {
				t.Errorf("%s: %q does not say %q", profile, r.stderr, want)
			}
		}
	}
	if now := onNode(t, "ls -A /"); now != root {
		t.Errorf("the node's root directory was\n%s\nand is\n%s", root, now)
	}
}

func listsImage(t *testing.T, part string) bool {
	t.Helper()
	n, err := cluster.Client.CoreV1().Nodes().Get(context.Background(), node, metav1.GetOptions{}) // in clean-ups, too
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range n.Status.Images {
		if strings.Contains(strings.Join(i.Names, " "), part) {
			return true
		}
	}
	return false
}

// TestProbeImage runs an image that holds the probe and nothing else, as the
// recipe makes it.
func TestProbeImage(t *testing.T) {
	const image = "nodedoc.test/probe:1"
	load := exec.CommandContext(t.Context(), filepath.Join(cluster.Tools, "cluster"), "load", "--image", image, "--entrypoint", "/nodedoc-probe",
		filepath.Join(cluster.Tools, "nodedoc-probe-linux-"+runtime.GOARCH)+"=/nodedoc-probe")
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, profile := range []string{"sysadmin", "minimal"} {
		r := nodedoc(t, "fd", node, "--probe-image", image, "--profile", profile, "--interval", "200ms")
		if r.code != 0 || r.stderr != "" || !strings.Contains(r.stdout, "kubelet.service") {
			t.Errorf("%s: exit code %d, %s%s", profile, r.code, r.stderr, r.stdout)
		}
	}
	for flags, want := range map[string]string{
		"--image " + image:                          "has no shell, choose another one with --image (one that holds the probe with --probe-image)",
		"--probe-image docker.io/library/busybox:1": "holds no probe at /nodedoc-probe",
	} {
		r := nodedoc(t, append([]string{"fd", node}, strings.Fields(flags)...)...)
		if r.code != 1 || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: exit code %d, %q, want %q", flags, r.code, r.stderr, want)
		}
	}
}
