//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// TestFDLeak is incident 1 as its user would see it.
func TestFDLeak(t *testing.T) {
	leak, err := incidents.NewFDLeak(t.Context(), cluster, node)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		onNode(t, "kill "+strconv.Itoa(leak.Dockerd))
		deleteNamespace(t, "prod")
	})
	java := onlyPID(t, "java")

	// A process that has just started is no leak.
	for _, f := range fd(t, "--interval", "1s").Findings {
		if f.ID == diagnose.FDGrowth {
			t.Errorf("found %q of a process that starts up", f.Summary)
		}
	}
	time.Sleep(60 * time.Second)
	a := fd(t)

	culprit := a.row("prod/" + leak.Culprit.Name)
	switch {
	case culprit == nil || a.Rows[0].Owner != culprit.Owner:
		t.Fatalf("%s does not lead the ranking: %+v", leak.Culprit.Name, a.Rows)
	case culprit.Owner.Workload != "Deployment/plugin-hub" || culprit.Owner.PodState != correlate.PodKnown:
		t.Errorf("owner %+v", culprit.Owner)
	case culprit.Heaviest.PID != java || culprit.Heaviest.Comm != "java" || culprit.Container != "app":
		t.Errorf("heaviest %+v, want java %d of app", culprit.Heaviest, java)
	case culprit.PerSecond == nil || *culprit.PerSecond < incidents.LeakPerSecond/2 || *culprit.PerSecond > incidents.LeakPerSecond*2:
		t.Errorf("growth %v, want about %d/s", culprit.PerSecond, incidents.LeakPerSecond)
	case culprit.Mostly == nil || culprit.Mostly.Kind != "FIFO" || culprit.Mostly.Pattern != "/run/docker/containerd/…-std*":
		t.Errorf("mostly %+v", culprit.Mostly)
	}
	if d := a.row("docker.service"); d == nil || d.Descriptors < 1000 || d.Heaviest.PID != leak.Dockerd {
		t.Errorf("the daemon: %+v", d)
	}
	if w := a.row("prod/" + leak.Web.Name); w == nil || w.Descriptors < 300 || w.Owner.Workload != "Deployment/web" {
		t.Errorf("the innocent: %+v", w)
	}
	for _, f := range a.Findings {
		if f.Subject == nil || f.Subject.Pod != leak.Culprit.Name || f.Subject.Container != "app" {
			t.Errorf("%s blames %+v", f.ID, f.Subject)
		}
	}
	if len(a.Findings) != 2 || a.Findings[0].ID != diagnose.ExecFIFOs || a.Findings[1].ID != diagnose.FDGrowth {
		t.Errorf("findings %+v, want %s and %s", a.Findings, diagnose.ExecFIFOs, diagnose.FDGrowth)
	}
}

// TestEveryProcessOfAPod: child, sibling container, exec'd, thread, shim, pause,
// zombie.
func TestEveryProcessOfAPod(t *testing.T) {
	namespace(t, "shop")
	pod, err := cluster.Pod(t.Context(), "shop", "cart", incidents.PodSpec(node,
		incidents.Container("front", "/actor", "--comm", "e2e-first", "parent", "/actor", "--comm", "e2e-child", "hold", "5"),
		incidents.Container("back", "/actor", "--comm", "e2e-back", "zombie"),
		incidents.Container("headless", "/actor", "parent", "/actor", "--comm", "e2e-headless", "headless", "70")))
	if err != nil {
		t.Fatal(err)
	}
	first, child, back := onlyPID(t, "e2e-first"), onlyPID(t, "e2e-child"), onlyPID(t, "e2e-back")
	execd := execIn(t, pod.Namespace, pod.Name, "front", "sleep", "3607")
	thread := number(t, onNode(t, fmt.Sprintf("ls /proc/%d/task | tail -1", child)))
	zombie := number(t, onNode(t, fmt.Sprintf("pgrep -P %d", back)))
	shim := number(t, onNode(t, fmt.Sprintf("ps -o ppid= -p %d", first)))
	pause := number(t, onNode(t, fmt.Sprintf("ps -o pid=,comm= --ppid %d | awk '$2==\"pause\"{print $1}'", shim)))

	got := whois(t, first, child, back, execd, thread, zombie, shim, pause)
	wantOwner := func(i int, what, container string) {
		t.Helper()
		o := got[i].Owner
		if o.Name() != "shop/cart" || o.Container != container || o.PodState != correlate.PodKnown || o.PodUID != string(pod.UID) {
			t.Errorf("%s: got %+v, want container %q of shop/cart", what, o, container)
		}
	}
	wantOwner(0, "first", "front")
	wantOwner(1, "child", "front")
	wantOwner(2, "other container", "back")
	wantOwner(3, "exec'd", "front")
	wantOwner(4, "thread", "front")
	wantOwner(5, "zombie", "back")
	if got[4].Thread == nil || got[4].PID != child {
		t.Errorf("thread %d: %+v", thread, got[4])
	}
	if h := whois(t, onlyPID(t, "e2e-headless"))[0]; h.FDs == nil || *h.FDs < 70 || h.Owner.Container != "headless" {
		t.Errorf("its first thread is dead, others hold 70 files: %+v", h)
	}
	if got[5].State != "zombie" {
		t.Errorf("zombie: %+v", got[5])
	}
	if got[0].PIDInContainer != 1 || got[1].PIDInContainer < 2 {
		t.Errorf("pids inside: %d and %d", got[0].PIDInContainer, got[1].PIDInContainer)
	}
	if s := got[6]; s.Owner.Unit != "containerd.service" || s.Shim == nil || s.Shim.Name() != "shop/cart" {
		t.Errorf("shim: %+v, of %+v", s.Owner, s.Shim)
	}
	if o := got[7].Owner; o.Name() != "shop/cart" || !o.Sandbox {
		t.Errorf("pause: %+v", o)
	}
	if chain := got[1].Chain; len(chain) != 4 || chain[0].PID != 1 || chain[1].PID != shim || chain[2].PID != first || chain[3].PID != child {
		t.Errorf("chain %+v", chain)
	}
}

// TestStaticPod: on the node its UID is the config hash.
func TestStaticPod(t *testing.T) {
	manifest := fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"e2e-static","namespace":"kube-system"},
"spec":{"terminationGracePeriodSeconds":1,"containers":[{"name":"main","image":%q,"imagePullPolicy":"Never","command":["/actor","--comm","e2e-static","hold","5"]}]}}`, incidents.ActorImage)
	file := filepath.Join(staticPodPath(t), "e2e-static.json")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	mirror := "e2e-static-" + node
	t.Cleanup(func() {
		os.Remove(file)
		eventually(t, "static pod ends", time.Minute, func() bool { return len(pidsOf(t, "e2e-static")) == 0 })
	})
	eventually(t, "static pod runs", time.Minute, func() bool {
		p, err := cluster.Client.CoreV1().Pods("kube-system").Get(t.Context(), mirror, metav1.GetOptions{})
		return err == nil && p.Status.Phase == corev1.PodRunning
	})
	i := whois(t, onlyPID(t, "e2e-static"))[0]
	if o := i.Owner; o.Name() != "kube-system/"+mirror || !o.Static || o.Container != "main" || o.PodState != correlate.PodKnown {
		t.Errorf("got %+v", o)
	}
	if !strings.Contains(strings.Join(i.Notes, "\n"), "static pod") {
		t.Errorf("notes %q do not say that it is static", i.Notes)
	}
}

// TestHostDaemonInAPodsDirectory: the cgroup is the truth, the cwd is not.
func TestHostDaemonInAPodsDirectory(t *testing.T) {
	namespace(t, "shop")
	pod, err := cluster.Pod(t.Context(), "shop", "victim", incidents.PodSpec(node, incidents.Container("main", "/actor", "hold", "1")))
	if err != nil {
		t.Fatal(err)
	}
	dir := "/var/lib/kubelet/pods/" + string(pod.UID) + "/containers"
	pid := number(t, onNode(t, "cd "+dir+" && /opt/actor --detach --comm updatedb --cgroup /"+node+"/system.slice/mlocate.service hold 5"))
	t.Cleanup(func() { onNode(t, "kill "+strconv.Itoa(pid)) })
	eventually(t, "updatedb has its cgroup", 5*time.Second, func() bool {
		return strings.Contains(onNode(t, fmt.Sprintf("cat /proc/%d/cgroup", pid)), "mlocate.service")
	})
	i := whois(t, pid)[0]
	if i.Owner.Type != correlate.OwnerUnit || i.Owner.Unit != "mlocate.service" {
		t.Errorf("got %+v, want unit mlocate.service", i.Owner)
	}
	if notes := strings.Join(i.Notes, "\n"); !strings.Contains(notes, "shop/victim") || !strings.Contains(notes, "not to blame") {
		t.Errorf("notes %q do not clear shop/victim", i.Notes)
	}
}
