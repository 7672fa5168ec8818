//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

// ours marks what belongs to a run of nodedoc: pods in the API, and on the node
// processes, mounts, containers and cgroups. A cgroup or mount of one of our
// pods is known by the pod's UID, so pods' UIDs are collected while they live.
type trace map[string]bool

// traces lists everything on the cluster and the node that a run could leave.
func traces(t *testing.T) trace {
	t.Helper()
	found := trace{}
	pods, err := cluster.Client.CoreV1().Pods(metav1.NamespaceAll).List(t.Context(), metav1.ListOptions{
		LabelSelector: "app.kubernetes.io/name=nodedoc", FieldSelector: "spec.nodeName=" + node})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pods.Items {
		found["pod "+p.Namespace+"/"+p.Name] = true
	}
	for line := range strings.Lines(onNode(t, nodeTraces)) {
		found[strings.TrimSpace(line)] = true
	}
	return found
}

// nodeTraces prints processes, running containers and shims, pods' mounts and
// pods' cgroups of the node. What the runtime keeps on record of a container
// that has ended goes with the kubelet's next garbage collection, within a
// minute: see noContainersLeft.
const nodeTraces = `
for p in /proc/[0-9]*; do
  case "$(readlink $p/exe 2>/dev/null)" in */nodedoc*|*/probe) echo "process ${p#/proc/} $(tr '\0' ' ' <$p/cmdline | cut -c1-60)";; esac
done
ctr -n k8s.io tasks ls -q | sed 's/^/task /'
ps -eo args | sed -n 's/.*containerd-shim.* -id \([0-9a-f]*\).*/shim \1/p'
sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \([^ ]*\).*/mount \1/p' /proc/1/mountinfo | grep -E '/pods/|io.containerd' || true
find /sys/fs/cgroup -type d -path "*/kubepods/*" -name 'pod*' 2>/dev/null | sed 's/^/cgroup /'
`

// noNewTraces waits a little for the kubelet, which removes cgroups and volumes
// some time after the pod's object is gone.
func noNewTraces(t *testing.T, before trace) {
	t.Helper()
	var left []string
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(500 * time.Millisecond) {
		left = nil
		for what := range traces(t) {
			if !before[what] {
				left = append(left, what)
			}
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			slices.Sort(left)
			t.Fatalf("left behind:\n%s", strings.Join(left, "\n"))
		}
		if strings.HasPrefix(left[0], "pod ") {
			// The plugin returns when its pod is gone, not before.
			t.Errorf("still there when the plugin had returned: %s", left[0])
		}
	}
}

// noContainersLeft waits, once at the end of all tests, for the kubelet to have
// removed the runtime's records of ended containers.
func noContainersLeft(ctx context.Context, node string) error {
	const list = "ctr -n k8s.io containers ls -q"
	var left string
	err := wait.PollUntilContextTimeout(ctx, time.Second, 3*time.Minute, true, func(ctx context.Context) (bool, error) {
		var err error
		left, err = cluster.OnNode(ctx, node, "sh", "-c", list)
		return left == "", err
	})
	if err != nil {
		return fmt.Errorf("containers left on %s: %q: %w", node, left, err)
	}
	return nil
}
