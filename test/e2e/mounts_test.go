//go:build e2e

package e2e

import (
	"context"
	"flag"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// storageNode is the one with the volumes of incident 4.
var storageNode = flag.String("storage-node", "nd-node-3", "the node on which to leak volumes")

// storage is incident 4 on two nodes.
type storage struct {
	place
	undo     incidents.Undo
	live     *incidents.LiveVolumes
	healthy  []string // mount points while all was well
	leaks    *incidents.LeakedVolumes
	removing *incidents.RemovingContainer
	task     string // a copy below an unknown task's root
	other    string // a volume that is leaked on the other node
	dir      string // lasts as long as the whole test
	before   string // the report that was saved while all was leaked
	script   string // written by nodedoc
	// devices are those of the leaked volumes; what the dead driver attached does
	// not go with its mounts.
	devices       []string
	driversDevice string
}

// TestMounts (incident 4): a healthy node is called healthy; volumes leak, and
// nodedoc names them and who holds them, on two nodes in one table; the script
// that it writes frees what is leaked and nothing else.
func TestMounts(t *testing.T) {
	t.Parallel()
	onStorageNode.Lock()
	t.Cleanup(onStorageNode.Unlock)
	s := &storage{place: newPlace(t, *storageNode, nil), dir: t.TempDir()}
	t.Cleanup(func() {
		if err := s.undo.All(context.Background()); err != nil {
			t.Error(err)
		}
	})
	for _, step := range []struct {
		name string
		test func(*storage, *testing.T)
	}{
		{"healthy node", (*storage).healthyNode},
		{"leaked volumes", (*storage).leakedVolumes},
		{"two nodes", (*storage).twoNodes},
		{"kubelet stopped", (*storage).kubeletStopped},
		{"script", (*storage).runScript},
		{"all gone", (*storage).allGone},
		{"script again", (*storage).scriptAgain},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.test(s, t) }) {
			return // the next ones need it
		}
	}
}

// mountsAnswer is the answer of `mounts -o json`.
type mountsAnswer struct {
	Nodes []mountsRow
}

type mountsRow struct {
	Node   string `json:"node"`
	State  string `json:"state"`
	Reason string `json:"reason"`
	correlate.NodeMounts
	Diff struct{ Gone, New, Left []struct{ Name string } } `json:"diff"`
}

func (a mountsAnswer) row(t *testing.T, node string) mountsRow {
	t.Helper()
	for _, r := range a.Nodes {
		if r.Node == node {
			return r
		}
	}
	t.Fatalf("no row of %s in %+v", node, a.Nodes)
	return mountsRow{}
}

// volume finds one by a part of a mount point, or by its name.
func (r mountsRow) volume(t *testing.T, what string) correlate.Volume {
	t.Helper()
	for _, v := range r.Volumes {
		v.Holders = nil
		for _, at := range v.HeldBy { // an index out of range is a failure too
			v.Holders = append(v.Holders, r.Holders[at])
		}
		if v.Name == what {
			return v
		}
		for _, m := range v.Mounts {
			if strings.Contains(m.Point, what) {
				return v
			}
		}
	}
	t.Fatalf("no volume %q on %s among %d", what, r.Node, len(r.Volumes))
	return correlate.Volume{}
}

// mounts asks for mounts; with a device in error and a mount that hangs, too, it
// must answer in time.
func (s *storage) mounts(t *testing.T, args ...string) mountsAnswer {
	t.Helper()
	var a mountsAnswer
	decode(t, s.run(t, time.Minute, append([]string{"mounts", "-o", "json"}, args...)...), &a)
	return a
}

// points are the node's mount points that live volumes and pods have.
func (s *storage) points(t *testing.T) []string {
	t.Helper()
	var points []string
	for line := range strings.Lines(onThisNode(t, s.node, "cat /proc/self/mountinfo")) {
		points = append(points, strings.Fields(line)[4])
	}
	return points
}

// healthyNode: no volume is leaked that a pod uses, however odd.
func (s *storage) healthyNode(t *testing.T) {
	if err := cluster.LogCollector(t.Context(), &s.undo, s.namespace, node, s.node); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.live, err = incidents.NewLiveVolumes(t.Context(), cluster, &s.undo, s.node, s.namespace); err != nil {
		t.Fatal(err)
	}
	if err := cluster.DeadFUSE(t.Context(), &s.undo, s.node, "/mnt/fuse-"+s.namespace); err != nil {
		t.Fatal(err)
	}
	s.healthy = s.points(t)
	r := s.mounts(t, s.node).row(t, s.node)
	for _, v := range r.Volumes {
		if v.State != correlate.VolumeLive || v.Leaked > 0 {
			t.Errorf("%s %s is %s, %d leaked: %+v %s", v.Name, v.Type, v.State, v.Leaked, v.Reasons, v.Unknown)
		}
	}
	if r.Leaked != (correlate.LeakTotals{}) {
		t.Errorf("leaked on a healthy node: %+v", r.Leaked)
	}
	for _, name := range []string{s.live.Shared, s.live.Attached, s.namespace + "-local", s.namespace + "-scratch", s.namespace + "-leaving", "inline"} {
		if v := r.volume(t, name); len(v.Pods) == 0 || v.Device == nil {
			t.Errorf("%s: pods %+v, device %+v, want both", name, v.Pods, v.Device)
		}
	}
	for _, name := range []string{s.namespace + "-raw", s.namespace + "-disk"} {
		if v := r.volume(t, name); len(v.Pods) != 1 || v.Claim != s.namespace+"/"+name || v.Type != "devtmpfs" {
			t.Errorf("%s, a device without a filesystem: pods %+v, claim %q, %s", name, v.Pods, v.Claim, v.Type)
		}
	}
	if v := r.volume(t, s.live.Shared); len(v.Pods) != 2 || v.Claim != s.namespace+"/"+s.live.Shared {
		t.Errorf("shared by %+v, claim %q", v.Pods, v.Claim)
	}
	if len(r.Gaps) > 0 {
		t.Errorf("gaps: %+v", r.Gaps)
	}
	out := s.run(t, time.Minute, "mounts", s.node, "--leaked")
	if out.code != 0 || !strings.Contains(out.stdout, "no leaked volumes") {
		t.Errorf("a healthy node: %+v", out)
	}
}

// selectBoth labels the nodes of this test.
func (s *storage) selectBoth(t *testing.T) (selector string) {
	t.Helper()
	for _, n := range []string{node, s.node} {
		patchNode(t, n, `{"metadata":{"labels":{"`+s.namespace+`":"storage"}}}`)
		t.Cleanup(func() { patchNode(t, n, `{"metadata":{"labels":{"`+s.namespace+`":null}}}`) })
	}
	return s.namespace + "=storage"
}

// twoNodes: in one table, with a row for the one that cannot be asked.
func (s *storage) twoNodes(t *testing.T) {
	selector := s.selectBoth(t)
	fakeNode(t, s.namespace+"-lost", corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{s.namespace: "storage", corev1.LabelOSStable: "linux"}},
		Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown,
			Reason: "NodeStatusUnknown", Message: "Kubelet stopped posting node status."}}}})
	out := s.run(t, 90*time.Second, "mounts", "-l", selector, "-o", "json")
	if out.code != 1 {
		t.Errorf("exit code %d, want 1 as one node gave no answer: %s", out.code, out.stderr)
	}
	out.code = 0
	var a mountsAnswer
	decode(t, out, &a)
	if v := a.row(t, node).volume(t, s.other); v.State != correlate.VolumeLeaked || v.Node != node {
		t.Errorf("on the other node: %+v", v)
	}
	a.row(t, s.node).volume(t, s.leaks.OldStaging)
	if lost := a.row(t, s.namespace+"-lost"); lost.State == "answered" || !strings.Contains(lost.Reason, "ready") {
		t.Errorf("the lost node's row: %+v", lost)
	}
	table := s.run(t, 90*time.Second, "mounts", "-l", selector, "--leaked").stdout
	for _, want := range []string{s.other, s.leaks.OldStaging, s.namespace + "-lost", "logxxx-ds"} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%s", want, table)
		}
	}
	if strings.Contains(table, "touch nodedoc-pwned)\n;x") {
		t.Errorf("a newline of a name is in the table:\n%s", table)
	}
}
