package diagnose

import (
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// hungRunc is incident 3: uid 0 has more pipe pages than it may, and runc init's
// descriptors 4 and 6 are the same full pipe of 8192 bytes.
func hungRunc() *report.NodeReport {
	root := 0
	full := report.PipeSum{Pipes: 1100, Known: 1100, Pages: 16536, Small: 76}
	return &report.NodeReport{
		Node: report.Node{Hostname: "node-43", Uptime: 10_000, ClockTicks: 100},
		Processes: &report.Processes{Cgroups: []report.Cgroup{{Entries: []report.CgroupEntry{{Path: "/system.slice/docker.service"}}}}, List: []report.Process{
			{PID: 10, Comm: "dockerd", UID: &root, StartTicks: 100},
			{PID: 20, Comm: "runc:[2:INIT]", Cmdline: "runc init", UID: &root, StartTicks: 100_000},
		}},
		Pipes: &report.Pipes{UserPagesSoft: new(uint64(16384)), PageBytes: 4096,
			Users:   []report.PipeUser{{PipeSum: full}},
			Holders: []report.PipeHolder{{PipeSum: full, Process: 10, Most: 1000}},
			Waits:   []report.PipeWait{{PID: 20, TID: 20, Comm: "runc:[2:INIT]", Wchan: "pipe_wait", Op: "write", FD: new(4), Pipe: 0, StayedMillis: 2000}},
			List:    []report.Pipe{{Inode: 77, Capacity: new(uint64(8192)), Filled: new(uint64(8192)), Ends: []report.PipeEnd{{PID: 20, FD: 4, Write: true}, {PID: 20, FD: 6, Read: true}}}},
		},
	}
}

func TestHungRunc(t *testing.T) {
	got := Diagnose(correlate.Join(hungRunc(), nil), Thresholds{})
	if len(got) != 2 || got[0].ID != PipesUserLimit || got[1].ID != PipesRuntimeBlocked || got[0].Severity != Critical || got[1].Severity != Critical {
		t.Fatalf("got %+v", got)
	}
	if !slices.Equal(got[1].CausedBy, []string{PipesUserLimit}) || got[1].Remedy[0].Run != "timeout 5 cat /proc/20/fd/4 >/dev/null" {
		t.Errorf("got %+v", got[1])
	}
	if text := strings.Join(got[1].Evidence, "\n"); !strings.Contains(text, "8,192 of 8,192 bytes: 2 pages instead of 16") || !strings.Contains(text, "as descriptor 6, to read") {
		t.Errorf("evidence: %s", text)
	}
}

// TestPipesOfAUserNamespace: the mapped range is said, and who the user is inside.
func TestPipesOfAUserNamespace(t *testing.T) {
	r := hungRunc()
	u := &r.Pipes.Users[0]
	u.Mapped = &report.IDRange{First: 131072, Count: 65536}
	u.UID = 131072 + 1000
	f := Diagnose(correlate.Join(r, nil), Thresholds{})[0]
	if text := strings.Join(f.Evidence, "\n"); f.ID != PipesUserLimit || !strings.Contains(text, "it is user 1000 of a user namespace that has the host's 131072 to 196607 (hostUsers: false)") {
		t.Errorf("got %+v", f)
	}
}

// TestRuncVersion: the release that hangs so is named, and the one that does not.
func TestRuncVersion(t *testing.T) {
	for version, known := range map[string]bool{"1.0.0-rc93": true, "1.0.0~rc93+ds1-5": true, "1.0.0-rc93+dev": true, "1.0.0-rc9": false, "1.0.0-rc94": false, "1.0.0-rc930": false, "1.1.5": false, "": false} {
		r := hungRunc()
		if version != "" {
			r.Pipes.Programs = []report.RuntimeProgram{{Name: "runc", Path: "/usr/bin/runc", Version: version}}
		}
		f := Diagnose(correlate.Join(r, nil), Thresholds{})[1]
		text, cure := strings.Join(f.Evidence, "\n"), f.Remedy[len(f.Remedy)-1]
		if strings.Contains(text, "this version writes its seccomp filter") != known || strings.Contains(text, version+" (/usr/bin/runc)") != (version != "") {
			t.Errorf("%s: %s", version, text)
		}
		if !strings.Contains(cure.Do, "1.0.0-rc94") || (cure.Run == "runc --version") != (version == "") {
			t.Errorf("%s: %+v", version, cure)
		}
	}
}

// TestNoHungRunc: what looks like it for a moment, or is none of the runtime's.
func TestNoHungRunc(t *testing.T) {
	for name, change := range map[string]func(*report.NodeReport){
		"just started":        func(r *report.NodeReport) { r.Processes.List[1].StartTicks = 999_900 },
		"it ran in between":   func(r *report.NodeReport) { r.Pipes.Waits[0].StayedMillis = 0 },
		"it reads":            func(r *report.NodeReport) { r.Pipes.Waits[0].Op = "read" },
		"a shell's pipeline":  func(r *report.NodeReport) { r.Processes.List[1].Comm, r.Processes.List[1].Cmdline = "yes", "yes" },
		"nobody looked at it": func(r *report.NodeReport) { r.Pipes = nil },
	} {
		t.Run(name, func(t *testing.T) {
			r := hungRunc()
			change(r)
			for _, f := range Diagnose(correlate.Join(r, nil), Thresholds{}) {
				if f.ID == PipesRuntimeBlocked {
					t.Errorf("got %+v", f)
				}
			}
		})
	}
}

func TestPipesBelowTheLimit(t *testing.T) {
	for name, c := range map[string]struct {
		soft, pages uint64
		want        Severity
	}{
		"half":       {16384, 8000, ""},
		"near":       {16384, 14000, Warning},
		"no limit":   {0, 100_000, ""},
		"just there": {16384, 16384, Critical},
	} {
		r := hungRunc()
		r.Pipes.Waits, r.Pipes.UserPagesSoft, r.Pipes.Users[0].Pages = nil, &c.soft, c.pages
		got := Diagnose(correlate.Join(r, nil), Thresholds{})
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || got[0].Severity != c.want) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
