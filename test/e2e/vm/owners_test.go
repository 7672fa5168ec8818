//go:build e2e

package vm

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// resident is a process of the node, and who it belongs to.
type resident struct {
	pid   int
	owner correlate.Owner
	how   string // by which rule
}

// TestOwners asks for one process of every kind that a node with systemd has.
// Both profiles must say the same, and for its cgroup what the node itself says.
func TestOwners(t *testing.T) {
	residents := startResidents(t)
	args := []string{"whois-pid", node}
	for _, r := range residents {
		args = append(args, strconv.Itoa(r.pid))
	}
	for _, profile := range profiles() {
		t.Run(profile, func(t *testing.T) {
			var answer struct{ Processes []correlate.Identity }
			nodedoc(t, &answer, append(args, "--profile", profile)...)
			found := map[int]correlate.Identity{}
			for _, p := range answer.Processes {
				found[p.PID] = p
			}
			for name, want := range residents {
				got, ok := found[want.pid]
				if !ok {
					t.Errorf("%s: process %d is missing", name, want.pid)
					continue
				}
				if owner := identifying(got.Owner); owner != want.owner || got.OwnerBy != want.how {
					t.Errorf("%s: belongs to %+v by %s, want %+v by %s", name, owner, got.OwnerBy, want.owner, want.how)
				}
				if cgroup := "0::" + got.Cgroup; cgroup != onNode(t, fmt.Sprintf("cat /proc/%d/cgroup", want.pid)) {
					t.Errorf("%s: its cgroup is not %s", name, got.Cgroup)
				}
			}
		})
	}
}

// identifying is an owner without what differs from run to run.
func identifying(o correlate.Owner) correlate.Owner {
	return correlate.Owner{Type: o.Type, Namespace: o.Namespace, Pod: o.Pod, PodState: o.PodState, Container: o.Container, Unit: o.Unit}
}

// startResidents starts a process of each kind. What a timer or cron starts
// takes up to a minute.
func startResidents(t *testing.T) map[string]resident {
	t.Helper()
	pod := startPod(t)
	onNode(t, `set -e
systemd-run --unit='e2e@a\x2db' --slice=batch.slice sleep 71002
systemd-run --unit=e2e-timed --on-active=1s --timer-property=AccuracySec=100ms sleep 71003
echo '* * * * * root pgrep -xf "sleep 71004" >/dev/null || sleep 71004' >/etc/cron.d/e2e
systemd-run --scope --unit=e2e-scope sleep 71005 >/dev/null 2>&1 </dev/null &`)
	t.Cleanup(func() {
		onNode(t, `rm -f /etc/cron.d/e2e; systemctl stop 'e2e@a\x2db.service' e2e-timed.timer e2e-timed.service e2e-scope.scope || true; pkill -xf 'sleep 71004' || true`)
	})
	unit := func(name string) correlate.Owner { return correlate.Owner{Type: correlate.OwnerUnit, Unit: name} }
	kernel := correlate.Owner{Type: correlate.OwnerKernel}
	session := logIn(t)
	return map[string]resident{
		"a pod's child":           {pidOf(t, "sleep 71001"), pod, correlate.ByCgroup},
		"an instance of a unit":   {pidOf(t, "/usr/bin/sleep 71002"), unit(`e2e@a\x2db.service`), correlate.ByCgroup},
		"what a timer started":    {pidOf(t, "/usr/bin/sleep 71003"), unit("e2e-timed.service"), correlate.ByCgroup},
		"what cron started":       {pidOf(t, "sleep 71004"), unit("cron.service"), correlate.ByCgroup},
		"a scope":                 {pidOf(t, "/usr/bin/sleep 71005"), unit("e2e-scope.scope"), correlate.ByCgroup},
		"a login session":         {session, unit(sessionOf(t, session)), correlate.ByCgroup},
		"the kubelet":             {number(t, "systemctl show --value -p MainPID kubelet.service"), unit("kubelet.service"), correlate.ByCgroup},
		"process 1":               {1, unit("init.scope"), correlate.ByCgroup},
		"the first kernel thread": {2, kernel, correlate.ByCgroup},
		"the journal of a disk":   {number(t, "pgrep -x jbd2/vda-8"), kernel, correlate.ByCgroup},
	}
}

// startPod makes a pod with a shell that has a child.
func startPod(t *testing.T) correlate.Owner {
	t.Helper()
	const namespace, name = "e2e-vm", "web"
	if err := cluster.Namespace(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Client.CoreV1().Namespaces().Delete(context.Background(), namespace, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	container := corev1.Container{Name: "app", Image: "busybox:1", Command: []string{"sh", "-c", "sleep 71001; true"}}
	if _, err := cluster.Pod(t.Context(), namespace, name, incidents.PodSpec(node, container)); err != nil {
		t.Fatal(err)
	}
	return correlate.Owner{Type: correlate.OwnerPod, Namespace: namespace, Pod: name, PodState: correlate.PodKnown, Container: "app"}
}

// logIn opens a session that lasts until the test ends, and returns a process of it.
func logIn(t *testing.T) int {
	t.Helper()
	session := exec.Command(filepath.Join(cluster.Tools, "cluster"), "exec", node, "--", "sleep", "71006")
	if err := session.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		onNode(t, "pkill -xf 'sleep 71006' || true")
		_ = session.Wait()
	})
	return pidOf(t, "sleep 71006")
}

// sessionOf asks systemd-logind.
func sessionOf(t *testing.T, pid int) string {
	t.Helper()
	said := onNode(t, fmt.Sprintf("loginctl session-status $(cat /proc/%d/sessionid) | sed -n 's/.*Unit: //p'", pid))
	if !strings.HasPrefix(said, "session-") {
		t.Fatalf("process %d is in %q, which is no session", pid, said)
	}
	return said
}

func number(t *testing.T, script string) int {
	t.Helper()
	n, err := strconv.Atoi(onNode(t, script))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestFD compares the ranking with what the node's own tools count. The node's
// kernel is older than 6.2, so that descriptors are listed to be counted.
func TestFD(t *testing.T) {
	onNode(t, `systemd-run --unit=e2e-open bash -c 'for i in $(seq 3 202); do eval "exec $i</dev/null" || exit; done; exec sleep 72001' 2>/dev/null`)
	t.Cleanup(func() { onNode(t, "systemctl stop e2e-open.service") })
	pid := pidOf(t, "sleep 72001")
	// A moment, or the process would count as one that is starting up.
	time.Sleep(2 * time.Second)
	want := number(t, fmt.Sprintf("ls /proc/%d/fd | wc -l", pid))
	for _, profile := range profiles() {
		t.Run(profile, func(t *testing.T) {
			var answer struct {
				correlate.FDRanking
				Findings []any
			}
			nodedoc(t, &answer, "fd", node, "--profile", profile)
			rows := map[string]correlate.FDRow{}
			for _, row := range answer.Rows {
				rows[row.Owner.Name()] = row
			}
			if row := rows["e2e-open.service"]; row.Descriptors != want || row.Heaviest.PID != pid || row.Mostly == nil || row.Mostly.Kind != "device" {
				t.Errorf("got %+v, want %d of process %d, mostly devices", row, want, pid)
			}
			for _, unit := range []string{"kubelet.service", "containerd.service", "cron.service", "systemd-logind.service", "ssh.service"} {
				if rows[unit].Descriptors == 0 {
					t.Errorf("%s is missing from %+v", unit, answer.Rows)
				}
			}
			if len(answer.Findings) > 0 {
				t.Errorf("a healthy node has findings: %+v", answer.Findings)
			}
		})
	}
}
