//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// checkupAnswer is the answer of `checkup -o json`.
type checkupAnswer struct{ Nodes []printer.Checkup }

func (a checkupAnswer) node(t *testing.T, name string) printer.Checkup {
	t.Helper()
	i := slices.IndexFunc(a.Nodes, func(c printer.Checkup) bool { return c.Node == name })
	if i < 0 {
		t.Fatalf("no %s in %+v", name, a.Nodes)
	}
	return a.Nodes[i]
}

// remembered: the machine's kernel may remember kills of pods that are gone, of tests
// that were before.
func remembered(f diagnose.Finding) bool {
	return f.ID == diagnose.MemoryOOMKills && strings.Contains(f.Summary, "gone")
}

// TestHealthyCluster: nothing is found, and each node is one line. It runs while no
// test harms a node.
func TestHealthyCluster(t *testing.T) {
	p := newPlace(t, node, nil)
	args := append([]string{"checkup", "--fail-on", "warning"}, used()...)
	r := p.run(t, time.Minute, append(args, "-o", "json")...)
	code := r.code
	r.code = 0
	var a checkupAnswer
	decode(t, r, &a)
	want := 0
	for _, c := range a.Nodes {
		for _, f := range c.Findings {
			if want = 2; !remembered(f) {
				t.Errorf("%s: %s %s %q", c.Node, f.ID, f.Summary, f.Evidence)
			}
		}
		if len(c.Failed) > 0 || len(c.Totals) < 5 || c.State != printer.NodeAnswered {
			t.Errorf("%s is %s %s, not checked %q, totals %+v", c.Node, c.State, c.Reason, c.Failed, c.Totals)
		}
	}
	if code != want || len(a.Nodes) != len(used()) {
		t.Errorf("%d nodes, exit code %d, want %d: %s", len(a.Nodes), code, want, r.stderr)
	}
}

// sick is a node with incidents.
type sick struct {
	place
	undo incidents.Undo
}

// incident is one of the four, and whom the first cause is to blame.
type incident struct {
	name, id, subject string
	make              func(*sick, *testing.T)
}

// fourIncidents are made small: what makes a finding is a matter of numbers that one
// machine with many tests has not.
func fourIncidents() []incident {
	return []incident{
		{"descriptors", diagnose.ExecFIFOs, "/plugin-hub", (*sick).descriptors},
		{"memory", diagnose.MemoryHostProcess, "mlocate", (*sick).memory},
		{"pipes", diagnose.PipesUserLimit, "54321", (*sick).pipes},
		{"mounts", diagnose.MountsLeaked, incidents.RemovingPod, (*sick).mounts},
	}
}

// TestCheckup: each of the four incidents alone, and all on one node, is named as a
// first cause.
func TestCheckup(t *testing.T) {
	t.Parallel()
	onStorageNode.Lock()
	t.Cleanup(onStorageNode.Unlock)
	s := &sick{place: newPlace(t, *storageNode, nil)}
	all := fourIncidents()
	for _, i := range all {
		t.Run(i.name, func(t *testing.T) {
			defer s.undone(t)
			i.make(s, t)
			s.named(t, i)
		})
	}
	t.Run("all at once", func(t *testing.T) {
		defer s.undone(t)
		for _, i := range all {
			i.make(s, t)
		}
		s.named(t, all...)
	})
	t.Run("interrupted", s.interrupted)
	t.Run("not ready", s.notReady)
}

// interrupted: Ctrl-C while one of two nodes has answered: its answer stands, and is
// saved.
func (s *sick) interrupted(t *testing.T) {
	p := s.through(t, newProxy(t, holding(newGate(), func(r *http.Request) bool {
		return isAttach(r) && strings.Contains(r.URL.Path, "-"+node+"-")
	})))
	file := filepath.Join(t.TempDir(), "saved.json")
	b := p.start(t, "checkup", node, s.node, "--interval", "1s", "-o", "json", "--save", file)
	eventually(t, "an answer is kept", time.Minute, func() bool {
		parts, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".saved.json.*"))
		if err != nil || len(parts) == 0 {
			return false
		}
		info, err := os.Stat(parts[0])
		return err == nil && info.Size() > 10_000
	})
	p.pod(t, "of the other node is left", exists)
	if err := b.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	r := b.end(t, 40*time.Second)
	p.clean(t)
	if r.code != 130 || !strings.Contains(r.stderr, "no answer from 1 of 2 nodes: "+node) {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	r.code = 0
	var a, kept checkupAnswer
	decode(t, r, &a)
	decode(t, run(t, plugin("checkup", "--from", file, "-o", "json")), &kept)
	if got, missing := a.node(t, s.node), a.node(t, node); got.State != printer.NodeAnswered || missing.State != printer.NodeMissing ||
		len(kept.Nodes) != 1 || kept.Nodes[0].Node != s.node {
		t.Errorf("%+v, %+v, kept %d", got, missing, len(kept.Nodes))
	}
}

// notReady: a node of which only the API server tells is critical, and the run failed.
func (s *sick) notReady(t *testing.T) {
	name, label := s.namespace+"-lost", map[string]string{s.namespace: "checkup", corev1.LabelOSStable: "linux"}
	fakeNode(t, name, corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: label}, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{
		{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, Reason: "NodeStatusUnknown", Message: "Kubelet stopped posting node status."}}}})
	r := s.run(t, time.Minute, "checkup", "-l", s.namespace+"=checkup", "--fail-on", "warning", "-o", "json")
	if r.code != 1 || !strings.Contains(r.stderr, "not ready") {
		t.Errorf("exit code %d, want 1: %s", r.code, r.stderr)
	}
	r.code = 0
	var a checkupAnswer
	decode(t, r, &a)
	c := a.node(t, name)
	if c.State != printer.NodeFailed || c.Health != printer.HealthCritical || c.Findings[0].ID != diagnose.NodeNotExamined || !strings.Contains(strings.Join(c.Findings[0].Evidence, "\n"), "Unknown") {
		t.Errorf("%+v", c)
	}
}

func (s *sick) undone(t *testing.T) {
	t.Helper()
	if err := s.undo.All(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// named waits until the incidents are what explains all findings.
func (s *sick) named(t *testing.T, all ...incident) {
	t.Helper()
	var c printer.Checkup
	missing := func() (left []string) {
		r := s.run(t, time.Minute, "checkup", s.node, "--interval", "1s", "--fail-on", "warning", "-o", "json",
			// A machine with many tests has no tenth of its memory to give away.
			"--threshold", diagnose.MemoryHostProcess+".share=1%", "--threshold", diagnose.MemoryHostProcess+".size=200Mi")
		if r.code != 2 {
			return []string{"a finding: exit code is not 2: " + r.stderr}
		}
		r.code = 0
		var a checkupAnswer
		decode(t, r, &a)
		c = a.node(t, s.node)
		for _, i := range all {
			if !slices.ContainsFunc(c.RootCauses, func(at int) bool {
				f := c.Findings[at]
				return f.ID == i.id && f.Subject != nil && strings.Contains(f.Subject.Name(), i.subject)
			}) {
				left = append(left, i.id+" of "+i.subject)
			}
		}
		return left
	}
	eventually(t, "first causes", time.Minute, func() bool { return len(missing()) == 0 })
	for _, at := range c.RootCauses {
		f := c.Findings[at]
		if !remembered(f) && !slices.ContainsFunc(all, func(i incident) bool { return i.id == f.ID }) {
			t.Errorf("%s is a first cause: %s %q", f.ID, f.Summary, f.Evidence)
		}
	}
}

// deployment makes one, which is undone.
func (s *sick) deployment(t *testing.T, name string, spec corev1.PodSpec) *corev1.Pod {
	t.Helper()
	s.undo.Add(func(ctx context.Context) error { return cluster.ForgetDeployment(ctx, s.namespace, name) })
	pod, err := cluster.Deployment(t.Context(), s.namespace, name, spec)
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

// descriptors (incident 1): the pipes of exec sessions that nobody closes.
func (s *sick) descriptors(t *testing.T) {
	s.deployment(t, "plugin-hub", incidents.PodSpec(s.node, incidents.Container("app", "/actor", "--comm", "copy_plugins.sh", "parent",
		"/actor", "--comm", "java", "leak-fifos", "/run/docker/containerd", "300", "2000")))
}

// memory (incident 2): the node's own job walks through a pod's volume.
func (s *sick) memory(t *testing.T) {
	walked := s.deployment(t, "archive", incidents.WithVolume(incidents.PodSpec(s.node, incidents.Container("main", "/actor", "hold", "1")),
		"data", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}))
	s.undo.Add(func(ctx context.Context) error {
		_, err := cluster.OnNode(ctx, s.node, "sh", "-c", "pkill -x updatedb; while pgrep -x updatedb >/dev/null; do sleep 0.1; done")
		return err
	})
	if _, err := cluster.Daemon(t.Context(), s.node, "updatedb", "mlocate.service", "grow", "100", "400",
		"/var/lib/kubelet/pods/"+string(walked.UID)+"/volumes/kubernetes.io~empty-dir"); err != nil {
		t.Fatal(err)
	}
}

// pipes (incident 3): one pod has the pipe buffers of a user, and what stands for a
// runc hangs in another.
func (s *sick) pipes(t *testing.T) {
	as := func(c corev1.Container) corev1.PodSpec {
		c.SecurityContext = &corev1.SecurityContext{RunAsUser: new(int64(54321))}
		return incidents.PodSpec(s.node, c)
	}
	s.deployment(t, "hoarder", as(incidents.Container("main", "/actor", "pipes", "1100")))
	s.deployment(t, "starts", as(incidents.Container("main", "/actor", "runc-init")))
}

// mounts (incident 4): a container that cannot be removed holds copies of volumes that
// nobody needs.
func (s *sick) mounts(t *testing.T) {
	if err := cluster.ManyVolumes(t.Context(), &s.undo, s.node, 60); err != nil {
		t.Fatal(err)
	}
	if _, err := incidents.NewRemovingContainer(t.Context(), cluster, &s.undo, s.node); err != nil {
		t.Fatal(err)
	}
}
