//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// kubeletStopped: a node whose kubelet hangs costs its row; Ctrl-C while it is
// waited for leaves what the others said, and no pod.
func (s *storage) kubeletStopped(t *testing.T) {
	selector := s.selectBoth(t)
	resume := pauseDaemon(t, s.node, "kubelet")
	interrupted := s.start(t, "mounts", "-l", selector, "-o", "json")
	eventually(t, "the one node has answered, the other has a pod", time.Minute, func() bool {
		pods := s.pods(t)
		return len(seen.of(s.namespace)) > 1 && len(pods) == 1 && pods[0].Spec.NodeName == s.node
	})
	if err := interrupted.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	r := interrupted.end(t, time.Minute)
	if r.code != 130 {
		t.Errorf("exit code %d, want 130: %s", r.code, r.stderr)
	}
	s.onlyOther(t, r)
	r = s.runDirty(t, 90*time.Second, "mounts", "-l", selector, "-o", "json", "--start-timeout", "8s")
	if r.code != 1 {
		t.Errorf("exit code %d, want 1: %s", r.code, r.stderr)
	}
	s.onlyOther(t, r)
	resume()
	s.cleanWithin(t, time.Minute)
	place{namespace: s.namespace, node: node}.clean(t)
	awaitReady(t, s.node)
}

// onlyOther checks that one node answered, and that the other has a row that
// says why not.
func (s *storage) onlyOther(t *testing.T, r result) {
	t.Helper()
	r.code = 0
	var a mountsAnswer
	decode(t, r, &a)
	if v := a.row(t, node).volume(t, s.other); v.Leaked == 0 {
		t.Errorf("the other node's volume: %+v", v)
	}
	if row := a.row(t, s.node); row.State == "answered" || row.Reason == "" || len(row.Volumes) > 0 {
		t.Errorf("the stopped node's row: %+v", row)
	}
}

// runScript: reviewed, then run on the node as its user would.
func (s *storage) runScript(t *testing.T) {
	r := s.run(t, time.Minute, "mounts", s.node, "--script")
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	s.script = filepath.Join(s.dir, "umount.sh")
	if err := os.WriteFile(s.script, []byte(r.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{s.leaks.DriverDead, s.leaks.OldStaging, s.leaks.Detached, s.leaks.InTree, s.leaks.Sick, s.removing.Copy, s.task} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("the script does not mention %s", want)
		}
	}
	if out, err := exec.Command("sh", "-n", s.script).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	s.execute(t)
}

// execute runs the script on the node. An unmounting that touches the mount that
// hangs would never end.
func (s *storage) execute(t *testing.T) {
	t.Helper()
	if err := cluster.CopyToNode(t.Context(), s.node, s.script, "/root/umount.sh"); err != nil {
		t.Fatal(err)
	}
	out := onThisNode(t, s.node, "timeout -s KILL 50 sh /root/umount.sh 2>&1; echo exit code $?; rm /root/umount.sh")
	if !strings.HasSuffix(out, "exit code 0") {
		t.Errorf("the script said:\n%s", out)
	}
}

// allGone: mounts, devices and kernel threads, as the machine and as nodedoc see
// it; what was in use is still there.
func (s *storage) allGone(t *testing.T) {
	points := s.points(t)
	for _, p := range s.healthy {
		if !slices.Contains(points, p) {
			t.Errorf("the script unmounted %s, which is in use", p)
		}
	}
	for _, p := range points {
		for _, leaked := range []string{s.leaks.DriverDead, s.leaks.OldStaging, s.leaks.Detached, s.leaks.InTree, s.leaks.Sick, "d-odd", s.removing.Copy, s.removing.CopyToo, s.task, incidents.GoneUID} {
			if strings.Contains(p, leaked) {
				t.Errorf("still mounted: %s", p)
			}
		}
	}
	if pwned := onThisNode(t, s.node, "ls -d nodedoc-pwned /nodedoc-pwned /root/nodedoc-pwned 2>/dev/null || true"); pwned != "" {
		t.Errorf("the script ran what a name says: %s", pwned)
	}
	eventually(t, "devices and their kernel threads go", 20*time.Second, func() bool { return len(s.devicesLeft(t)) == 0 })
	row := s.mounts(t, s.node, "--leaked", "--diff", s.before).row(t, s.node)
	if row.Leaked.Volumes > 0 || row.Leaked.Mounts > 0 || len(row.Volumes) > 0 {
		t.Errorf("still leaked by nodedoc's word: %+v %+v", row.Leaked, row.Volumes)
	}
	if len(row.Diff.Left) > 0 || len(row.Diff.New) > 0 || len(row.Diff.Gone) < len(s.leaks.Names()) {
		t.Errorf("difference: %+v", row.Diff)
	}
}

// devicesLeft are what is left of the leaked volumes' devices, and of the kernel
// threads that work for them: this machine's are those of its nodes, which do
// not see them.
func (s *storage) devicesLeft(t *testing.T) []string {
	t.Helper()
	still := onMachine(t, "losetup -nO NAME; ps -eo comm=")
	var left []string
	for _, device := range s.devices {
		// The dead driver's stays until the driver takes it away.
		for _, sign := range []string{device, "jbd2/" + strings.TrimPrefix(device, "/dev/") + "-8"} {
			if slices.Contains(still, sign) && sign != s.driversDevice {
				left = append(left, sign)
			}
		}
	}
	return left
}

// onMachine runs a shell command outside the nodes, and returns its lines.
func onMachine(t *testing.T, script string) []string {
	t.Helper()
	out, err := exec.Command("sh", "-ec", script).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// scriptAgain: it does nothing, and not to something else that has come to
// stand at the same place either.
func (s *storage) scriptAgain(t *testing.T) {
	at := incidents.StagedAt(s.leaks.OldStaging) + "/globalmount"
	onThisNode(t, s.node, "mkdir -p "+at+" && mount -t tmpfs other "+at)
	s.execute(t)
	if fs := onThisNode(t, s.node, "findmnt -no FSTYPE --mountpoint "+at); fs != "tmpfs" {
		t.Errorf("the script unmounted what is not leaked: %q is there", fs)
	}
}
