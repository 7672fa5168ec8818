//go:build e2e

package vm

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

const nfsAddress = "127.0.0.1"

// tasksOf is the answer of `tasks`.
type tasksOf struct {
	correlate.NodeTasks
	Findings []diagnose.Finding
}

func askTasks(t *testing.T, more ...string) tasksOf {
	t.Helper()
	var a tasksOf
	nodedoc(t, &a, append([]string{"tasks", node}, more...)...)
	if len(a.Gaps) > 0 {
		t.Errorf("%q: unread %+v", more, a.Gaps)
	}
	return a
}

// waits is who of an owner waits for the NFS server; nil: nobody.
func (a tasksOf) waits(owner string) *correlate.BlockedRow {
	for i := range a.Blocked {
		if b := &a.Blocked[i]; b.Owner.Name() == owner && b.WaitsFor == correlate.WaitsNFS && b.Waiting() > 0 {
			return b
		}
	}
	return nil
}

// found are the findings of a rule, by whom they are about.
func (a tasksOf) found(id string) (subjects []string) {
	for _, f := range a.Findings {
		switch {
		case f.ID != id:
		case f.Subject == nil:
			subjects = append(subjects, "")
		default:
			subjects = append(subjects, f.Subject.Name())
		}
	}
	slices.Sort(subjects)
	return subjects
}

// blockedOn waits until so many threads whose command line has these words are in
// uninterruptible sleep, and the kernel's log says why.
func blockedOn(t *testing.T, words string, threads int) {
	t.Helper()
	eventually(t, words+" waits", time.Minute, func() bool {
		n, err := strconv.Atoi(onNode(t, `dmesg | grep 'nfs: server' | tail -1 | grep -q 'not responding' && ps -eLo stat,args | grep '^D' | grep -cF -- '`+words+`' || true`))
		return err == nil && n >= threads
	})
}

// TestSharedNFS: two pods share a volume of NFS that the kubelet has mounted. While
// the server answers there is nothing to say; once it hangs the volume is live all
// the same, and who waits for it is told, the kubelet too, which cannot unmount it.
func TestSharedNFS(t *testing.T) {
	const space, name, program = "e2e-vm-nfs", "e2e-vm-nfs-shared", "while read -r line"
	undo := undone(t)
	if err := cluster.TemporaryNamespace(t.Context(), undo, space); err != nil {
		t.Fatal(err)
	}
	server, err := cluster.StartNFS(t.Context(), undo, node)
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.SharedNFS(t.Context(), undo, server, node, space, name, "one", "two"); err != nil {
		t.Fatal(err)
	}
	isLive := func(when string, pods ...string) {
		t.Helper()
		var m mountsOf
		nodedoc(t, &m, "mounts", node)
		v := m.volume(t, name)
		var using []string
		for _, p := range v.Pods {
			using = append(using, p.Pod)
		}
		slices.Sort(using)
		if v.State != correlate.VolumeLive || v.Leaked > 0 || len(v.Reasons) > 0 || v.Type != "nfs" || v.Source != nfsAddress+":/" || len(v.Mounts) != 2 || !slices.Equal(using, pods) {
			t.Errorf("%s: %+v", when, v)
		}
		if len(m.Nodes[0].Findings) > 0 {
			t.Errorf("%s: found %+v", when, m.Nodes[0].Findings)
		}
	}
	isLive("alive", "one", "two")
	var leaked mountsOf
	nodedoc(t, &leaked, "mounts", node, "--leaked")
	if len(leaked.Nodes) != 1 || slices.ContainsFunc(leaked.Nodes[0].Volumes, func(v correlate.Volume) bool { return v.Name == name }) {
		t.Errorf("leaked while alive: %+v", leaked.Nodes)
	}
	if a := askTasks(t); len(a.Findings) > 0 {
		t.Errorf("alive: found %+v", a.Findings)
	}

	if err := server.Hang(t.Context()); err != nil {
		t.Fatal(err)
	}
	blockedOn(t, program, 2)
	a := askTasks(t)
	for _, pod := range []string{"one", "two"} {
		b := a.waits(space + "/" + pod)
		if b == nil || b.Server != nfsAddress || !slices.Equal(b.Volumes, []string{name}) || b.SilentSeconds == nil || !strings.HasPrefix(b.Wchan, "rpc_wait_bit") || b.Owner.Container != "main" {
			t.Errorf("pod %s waits: %+v of %+v", pod, b, a.Blocked)
		}
		if !slices.Contains(a.found(diagnose.TasksBlocked), space+"/"+pod) {
			t.Errorf("found %+v", a.Findings)
		}
	}
	if !slices.Equal(a.found(diagnose.TasksServer), []string{""}) {
		t.Errorf("found %+v", a.Findings)
	}
	isLive("dead", "one", "two")

	pods := cluster.Client.CoreV1().Pods(space)
	if err := pods.Delete(t.Context(), "one", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "pod one ends", time.Minute, func() bool {
		p, err := pods.Get(t.Context(), "one", metav1.GetOptions{})
		return err == nil && p.Status.Phase == corev1.PodFailed
	})
	blockedOn(t, "/kubelet ", 1)
	isLive("dead, and a pod deleted", "two")
	if p, err := pods.Get(t.Context(), "one", metav1.GetOptions{}); err != nil || p.DeletionTimestamp == nil {
		t.Errorf("pod one is %+v, %v", p, err)
	}
	a = askTasks(t, "--profile", "minimal")
	kubelet, two := a.waits("kubelet.service"), a.waits(space+"/two")
	if kubelet == nil || kubelet.Server != nfsAddress || two == nil || a.waits(space+"/one") != nil {
		t.Errorf("a pod deleted: %+v", a.Blocked)
	}
	if i := slices.IndexFunc(a.Findings, func(f diagnose.Finding) bool { return f.ID == diagnose.TasksServer }); i < 0 || a.Findings[i].Severity != diagnose.Critical {
		t.Errorf("the kubelet waits, and found is %+v", a.Findings)
	}

	if err := server.Answer(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the kubelet unmounts, and pod one goes", 3*time.Minute, func() bool {
		list, err := pods.List(t.Context(), metav1.ListOptions{})
		return err == nil && len(list.Items) == 1
	})
	if a := askTasks(t); len(a.Findings) > 0 {
		t.Errorf("alive again: found %+v", a.Findings)
	}
}
