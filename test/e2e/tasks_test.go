//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// tasksAnswer is the answer of `tasks -o json`.
type tasksAnswer struct {
	correlate.NodeTasks
	Findings []diagnose.Finding
}

func tasks(t *testing.T, args ...string) tasksAnswer {
	t.Helper()
	var a tasksAnswer
	decode(t, nodedoc(t, append([]string{"tasks", node, "-o", "json"}, args...)...), &a)
	return a
}

func (a tasksAnswer) row(name string) *correlate.TaskRow {
	for i := range a.Rows {
		if a.Rows[i].Owner.Name() == name {
			return &a.Rows[i]
		}
	}
	return nil
}

func (a tasksAnswer) finding(id string) *diagnose.Finding {
	for i := range a.Findings {
		if a.Findings[i].ID == id {
			return &a.Findings[i]
		}
	}
	return nil
}

// TestTasksOfPods: one has many threads, one leaves zombies, one waits for a FUSE
// daemon that is none, in a thread that is not its first.
func TestTasksOfPods(t *testing.T) {
	const space, many, dead = "e2e-tasks", 300, 120
	namespace(t, space)
	stuck := incidents.Container("stuck", "/actor", "--comm", "e2e-stuck", "stuck", "/tmp/stuck")
	stuck.SecurityContext = &corev1.SecurityContext{Privileged: new(true)}
	for name, container := range map[string]corev1.Container{
		"crowd":    incidents.Container("crowd", "/actor", "--comm", "e2e-crowd", "threads", "300"),
		"mortuary": incidents.Container("parent", "/actor", "--comm", "e2e-parent", "zombie", "120"),
		"waits":    stuck,
	} {
		if _, err := cluster.Pod(t.Context(), space, name, incidents.PodSpec(node, container)); err != nil {
			t.Fatal(err)
		}
	}
	crowd, parent, waiting := onlyPID(t, "e2e-crowd"), onlyPID(t, "e2e-parent"), onlyPID(t, "e2e-stuck")
	var a tasksAnswer
	eventually(t, "all zombies are there", 10*time.Second, func() bool {
		a = tasks(t, "--interval", "1s")
		row := a.row(space + "/mortuary")
		return row != nil && row.Zombies == dead
	})

	switch row := a.row(space + "/crowd"); {
	case row == nil:
		t.Fatalf("no row of the crowd: %+v", a.Rows)
	case row.Tasks < many || row.Tasks > many+50 || row.Heaviest.PID != crowd || row.Container != "crowd" || row.Owner.PodState != correlate.PodKnown:
		t.Errorf("the crowd: %+v, want %d threads of process %d", row, many, crowd)
	}
	if a.Usage == nil || a.Usage.Max == 0 || a.Usage.Total < many || a.Processes < dead {
		t.Errorf("totals: %+v of %d processes", a.Usage, a.Processes)
	}

	if f := a.finding(diagnose.TasksZombies); f == nil || f.Subject == nil || f.Subject.Name() != space+"/mortuary" || f.Subject.Container != "parent" {
		t.Errorf("zombies: %+v", f)
	}
	if len(a.Zombies) == 0 || a.Zombies[0].PID != parent || a.Zombies[0].Count != dead {
		t.Errorf("zombies: %+v, want %d of process %d", a.Zombies, dead, parent)
	}

	f := a.finding(diagnose.TasksBlocked)
	if f == nil || f.Subject == nil || f.Subject.Name() != space+"/waits" {
		t.Fatalf("blocked: %+v in %+v", f, a.Blocked)
	}
	if !strings.Contains(f.Summary, correlate.WaitsFUSE) {
		t.Errorf("it waits for the FUSE daemon, not as in %q", f.Summary)
	}
	for _, b := range a.Blocked {
		if b.Owner.Name() == space+"/waits" && (b.PID != waiting || b.TID == waiting || b.Stayed != 1 || b.StayedSeconds < 1 || b.StayedSeconds > 5) {
			t.Errorf("blocked: %+v, want a thread of process %d, for a second", b, waiting)
		}
	}

	minimal := tasks(t, "--profile", "minimal", "-n", space)
	if minimal.finding(diagnose.TasksBlocked) == nil || minimal.finding(diagnose.TasksZombies) == nil || len(minimal.Rows) != 4 { // the probe's own pod is the fourth
		t.Errorf("with fewer rights: %+v of %+v", minimal.Findings, minimal.Rows)
	}
}

// TestTasksTable: what a person reads.
func TestTasksTable(t *testing.T) {
	r := nodedoc(t, "tasks", node)
	if r.code != 0 || !strings.HasPrefix(r.stdout, node+": ") || !strings.Contains(r.stdout, "kubelet.service") || strings.Contains(r.stdout, "tasks-node-limit") {
		t.Errorf("exit %d, %s\n%s", r.code, r.stdout, r.stderr)
	}
}
