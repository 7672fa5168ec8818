package correlate

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func TestPathFromRoot(t *testing.T) {
	for name, tt := range map[string]struct {
		path  string
		depth int
		want  string
	}{
		"the host's namespace":             {"/system.slice/cron.service", 0, "/system.slice/cron.service"},
		"a unit":                           {"/../../../../system.slice/cron.service", 4, "/system.slice/cron.service"},
		"the root":                         {"/../../../..", 4, "/"},
		"another class":                    {"/../../../kubepods-besteffort.slice/kubepods-besteffort-podx.slice/c.scope", 4, "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podx.slice/c.scope"},
		"another pod of the class":         {"/../../kubepods-burstable-podx_y.slice/c.scope", 4, "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podx_y.slice/c.scope"},
		"an escaped dash is none":          {`/../../a\x2db-c.slice`, 3, `/a\x2db.slice/a\x2db-c.slice`},
		"a service does not say where":     {"/../../cron.service", 4, "/../../cron.service"},
		"a slice of another depth":         {"/../kubepods-besteffort.slice", 4, "/../kubepods-besteffort.slice"},
		"cgroupfs does not say where":      {"/../../pod1/c", 4, "/../../pod1/c"},
		"the probe's own":                  {"/", 4, "/"},
		"below the probe's own":            {"/child", 4, "/child"},
		"above the root":                   {"/../../x", 1, "/../../x"},
		"dots that are a name":             {"/..x/..", 1, "/..x/.."},
		"dots behind a name lead nowhere":  {"/../x/../y", 1, "/x/../y"},
		"the root's own slice is no child": {"/../-.slice", 2, "/../-.slice"},
	} {
		if got := pathFromRoot(tt.path, tt.depth); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func FuzzPathFromRoot(f *testing.F) {
	f.Add("/../../kubepods-burstable-podx.slice/c.scope", 4)
	f.Add("/..", 1)
	f.Fuzz(func(t *testing.T, path string, depth int) {
		if got := pathFromRoot(path, depth); got != path && (!strings.HasPrefix(got, "/") || strings.HasPrefix(got, "/../..")) {
			t.Errorf("%q at %d: got %q", path, depth, got)
		}
	})
}

// What a pod without privileges sees on cgroup v2 is what everybody else sees:
// the same owner, and the path as it is below the node's /sys/fs/cgroup.
func TestOwnersAreTheSameFromAnotherCgroupNamespace(t *testing.T) {
	uid, id := "7abaed3c_e9d0_4bbb_a550_4f48fb0531cb", strings.Repeat("9b", 32)
	paths := []string{"/", "/init.scope", "/system.slice/cron.service", "/daemons/own",
		"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + uid + ".slice/cri-containerd-" + id + ".scope"}
	seen := []string{"/../../../..", "/../../../../init.scope", "/../../../../system.slice/cron.service", "/../../../../daemons/own",
		"/../../../kubepods-besteffort.slice/kubepods-besteffort-pod" + uid + ".slice/cri-containerd-" + id + ".scope"}
	node := func(paths []string) *Node {
		r := &report.NodeReport{Processes: &report.Processes{}}
		for i, pid := range []int{2, 1, 10, 11, 12} {
			r.Processes.Cgroups = append(r.Processes.Cgroups, report.Cgroup{Entries: []report.CgroupEntry{{Path: paths[i]}}})
			r.Processes.List = append(r.Processes.List, report.Process{PID: pid, Cgroup: i, Kernel: pid == 2})
		}
		return Join(r, nil)
	}
	outside, inside := node(paths), node(seen)
	for i := range paths {
		want, got := outside.Blame(&outside.Report.Processes.List[i]), inside.Blame(&inside.Report.Processes.List[i])
		if got != want {
			t.Errorf("%s: got %+v, want %+v", paths[i], got, want)
		}
	}
	if kept := inside.Report.Processes.Cgroups[0].Entries[0].Path; kept != seen[0] {
		t.Errorf("the report says %q now", kept)
	}
}
