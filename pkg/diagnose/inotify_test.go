package diagnose

import (
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// watching is a process of a user with some inotify instances and watches.
func watching(pid, uid, cgroup, instances, watches int) report.Process {
	p := process(pid, "tail", cgroup, 50, 50)
	p.UID = &uid
	p.FDs.Inotify = &report.Inotify{Instances: instances, Watches: watches}
	return p
}

func inotifyNode(processes ...report.Process) *report.NodeReport {
	r := add(newNode(), processes...)
	r.OpenFiles = openFiles(1<<63-1, 1000, 1000)
	r.OpenFiles.Inotify = report.InotifyLimits{MaxInstances: new(uint64(128)), MaxWatches: new(uint64(10_000))}
	r.Processes.Users = []report.User{{UID: 0, Name: "root"}}
	return r
}

func TestInotify(t *testing.T) {
	for name, c := range map[string]struct {
		r    *report.NodeReport
		want string
	}{
		"102 of 128 instances":      {inotifyNode(watching(5, 0, inPod, 102, 10)), ""},
		"103 of 128, by two owners": {inotifyNode(watching(5, 0, inPod, 100, 10), watching(6, 0, inKubelet, 3, 1)), "inotify-instances warning"},
		"of two users, 64 each":     {inotifyNode(watching(5, 0, inPod, 64, 10), watching(6, 1000, inPod, 64, 1)), ""},
		"122 of 128, root":          {inotifyNode(watching(5, 0, inPod, 122, 10)), "inotify-instances critical"},
		"122 of 128, another":       {inotifyNode(watching(5, 1000, inPod, 122, 10)), "inotify-instances warning"},
		"8,000 of 10,000 watches":   {inotifyNode(watching(5, 0, inPod, 3, 8000)), "inotify-watches warning"},
		"9,500 of 10,000 watches":   {inotifyNode(watching(5, 0, inPod, 3, 9500)), "inotify-watches critical"},
		"both":                      {inotifyNode(watching(5, 1, inPod, 128, 9500)), "inotify-instances warning,inotify-watches warning"},
		"limits that were not read": {add(newNode(), watching(5, 0, inPod, 5000, 1_000_000)), ""},
		"whose user was not read": {func() *report.NodeReport {
			r := inotifyNode(watching(5, 0, inPod, 128, 1))
			r.Processes.List[0].UID = nil
			return r
		}(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(said(diagnosed(c.r, hubInventory())), ","); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Who holds most is the subject, and is not who holds most of the other thing.
func TestInotifyNamesWhoHoldsMost(t *testing.T) {
	f := diagnosed(inotifyNode(watching(5, 0, inPod, 100, 10), watching(6, 0, inKubelet, 10, 9000)), hubInventory())
	if got, want := said(f), []string{"inotify-instances warning", "inotify-watches warning"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	if f[0].Subject.Pod != "hub-0" || f[1].Subject.Unit != "kubelet.service" {
		t.Errorf("got %v and %v", f[0].Subject, f[1].Subject)
	}
	want := []string{"9,010 of 10,000 watches (fs.inotify.max_user_watches), by all pods and daemons of this user together",
		"kubelet.service holds 9,000, e.g. process 6 (tail)", "prod/hub-0, container agent (StatefulSet/hub) holds 10, e.g. process 5 (tail)"}
	if !slices.Equal(f[1].Evidence, want) || f[1].Remedy[0].Run != "sysctl -w fs.inotify.max_user_watches=20000" {
		t.Errorf("got %q and %q", f[1].Evidence, f[1].Remedy)
	}
	if !strings.HasPrefix(f[0].Summary, "user root (uid 0) has 86 % of the inotify instances") {
		t.Errorf("got %q", f[0].Summary)
	}
}
