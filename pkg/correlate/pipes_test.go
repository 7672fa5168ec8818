package correlate

import (
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func pipesReport() *report.NodeReport {
	pod := report.Cgroup{Entries: []report.CgroupEntry{{Path: "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod5d0c1b7e_0f3c_4d5e_9d9b_8d7c6b5a4f3e.slice/cri-containerd-" + hexID('a') + ".scope"}}}
	host := report.Cgroup{Entries: []report.CgroupEntry{{Path: "/system.slice/containerd.service"}}}
	uid, root := 1000, 0
	return &report.NodeReport{
		Node: report.Node{Hostname: "node-43", Uptime: 1000, ClockTicks: 100},
		Processes: &report.Processes{Cgroups: []report.Cgroup{pod, host}, List: []report.Process{
			{PID: 10, Comm: "hoarder", Cgroup: 0, UID: &uid, StartTicks: 100},
			{PID: 20, Comm: "runc:[2:INIT]", Cmdline: "runc init", Cgroup: 0, UID: &root, StartTicks: 50_000},
			{PID: 30, Comm: "containerd", Cgroup: 1, UID: &root, StartTicks: 100},
		}},
		Pipes: &report.Pipes{UserPagesSoft: new(uint64(16384)), PageBytes: 4096,
			Users: []report.PipeUser{{UID: 0, PipeSum: report.PipeSum{Pipes: 10}}, {UID: 1000, PipeSum: report.PipeSum{Pipes: 1100, Known: 1100, Pages: 16536, Small: 76}}},
			Holders: []report.PipeHolder{{UID: 1000, Cgroup: 0, PipeSum: report.PipeSum{Pipes: 1100, Known: 1100, Pages: 16536, Small: 76}, Process: 10, Most: 1100},
				{UID: 0, Cgroup: 1, PipeSum: report.PipeSum{Pipes: 10, Known: 2, Pages: 4, Small: 2}, Process: 30, Most: 9}},
			Waits: []report.PipeWait{{PID: 10, TID: 11, Comm: "hoarder", Wchan: "pipe_write", Op: "write", Pipe: -1, StayedMillis: 9000},
				{PID: 20, TID: 20, Comm: "runc:[2:INIT]", Wchan: "pipe_wait", Op: "write", FD: new(4), Pipe: 0, StayedMillis: 2000}},
			List: []report.Pipe{{Inode: 77, Capacity: new(uint64(8192)), Filled: new(uint64(8192)), Ends: []report.PipeEnd{{PID: 20, FD: 4, Write: true}, {PID: 20, FD: 6, Read: true}, {PID: 99, FD: 1, Read: true}}}},
		},
	}
}

func hexID(c byte) string {
	id := make([]byte, 64)
	for i := range id {
		id[i] = c
	}
	return string(id)
}

// TestPipesOfUnknownCapacity: they count as 16 pages, and that is marked.
func TestPipesOfUnknownCapacity(t *testing.T) {
	p := Join(pipesReport(), nil).Pipes(PipeOptions{})
	if u := p.Users[0]; u.UID != 1000 || u.Estimated || u.Pages != 16536 || u.Percent < 100.9 || u.Percent > 101 || len(u.Rows) != 1 || u.Rows[0].Heaviest.PID != 10 {
		t.Errorf("the fullest user is %+v", u)
	}
	if u := p.Users[1]; !u.Estimated || u.Pages != 160 {
		t.Errorf("root has %+v", u)
	}
	if row := p.Rows[1]; row.Owner.Unit != "containerd.service" || row.Pages != 4+8*16 || !row.Estimated || row.Small != 2 {
		t.Errorf("containerd has %+v", row)
	}
}

// TestRuntimeWaitsComeFirst: with the pipe, its ends and the owner by cgroup.
func TestRuntimeWaitsComeFirst(t *testing.T) {
	p := Join(pipesReport(), nil).Pipes(PipeOptions{})
	if len(p.Waits) != 2 || p.Waits[1].Pipe != nil || p.Waits[1].Runtime != "" {
		t.Fatalf("got %+v", p.Waits)
	}
	w := p.Waits[0]
	if w.PID != 20 || w.Runtime != "runc init" || w.AgeSeconds != 500 || w.Owner.PodUID == "" {
		t.Errorf("got %+v", w)
	}
	if s := w.Pipe; s == nil || s.Name != "pipe:[77]" || s.Pages != 2 || !s.Small || !s.Full || len(s.Ends) != 3 || s.Ends[2].Owner.Type != OwnerUnknown {
		t.Errorf("its pipe is %+v", w.Pipe)
	}
}

func TestPipesByUser(t *testing.T) {
	p := Join(pipesReport(), nil).Pipes(PipeOptions{By: ByUser})
	if len(p.Rows) != 2 || p.Rows[0].Owner.User != "1000" || p.Rows[1].Owner.User != "0" {
		t.Errorf("got %+v", p.Rows)
	}
}

// TestNoPipesLimit: a kernel before 4.5, and one whose limit is switched off.
func TestNoPipesLimit(t *testing.T) {
	for _, limit := range []*uint64{nil, new(uint64(0))} {
		r := pipesReport()
		r.Pipes.UserPagesSoft = limit
		for _, u := range Join(r, nil).Pipes(PipeOptions{}).Users {
			if u.Percent != 0 {
				t.Errorf("limit %v: %+v", limit, u)
			}
		}
	}
}

// TestHostilePipes: indexes that lead nowhere, a capacity of nothing.
func TestHostilePipes(t *testing.T) {
	r := pipesReport()
	r.Pipes.PageBytes = 0
	r.Pipes.Waits[0].Pipe, r.Pipes.Waits[1].Pipe = 7, -5
	r.Pipes.Holders[0].Process = 12345
	r.Pipes.Users[0].Known = 100
	p := Join(r, nil).Pipes(PipeOptions{})
	if p.Waits[0].Pipe != nil || p.Waits[1].Pipe != nil || len(p.Rows) != 1 {
		t.Errorf("got %+v", p)
	}
}

func TestRuntimePhase(t *testing.T) {
	for name, c := range map[string]struct {
		comm, cmdline, want string
	}{
		"first process":              {"runc:[2:INIT]", "", "runc init"},
		"sealed copy of runc":        {"5", "/proc/self/exe init", "runc init"},
		"docker's name":              {"docker-runc", "docker-runc --root /run/docker exec --process /tmp/p 82414f", "runc exec"},
		"creates":                    {"runc", "/usr/bin/runc --root /run/containerd/runc/k8s.io create --bundle /b 82414f", "runc create"},
		"something else":             {"python", "python init exec create", ""},
		"only says runc in argument": {"vi", "vi runc", ""},
		"no command line":            {"runc", "", "runc"},
	} {
		if got := runtimePhase(&report.Process{Comm: c.comm, Cmdline: c.cmdline}); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
