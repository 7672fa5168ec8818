package diagnose

import (
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func holdingDeleted(pid, count int) report.Process {
	p := process(pid, "java", inPod, 3000, 3000)
	p.FDs.Kinds = []report.Counted{{Name: "file", Count: 40}, {Name: "deleted file", Count: count}}
	p.FDs.Targets = []report.Target{{Kind: "file", Pattern: "/app.jar", Count: 40}, {Kind: "deleted file", Pattern: "/var/log/app/….log (deleted)", Count: count}}
	return p
}

func TestDeletedFiles(t *testing.T) {
	if f := diagnosed(add(newNode(), holdingDeleted(22, 499)), hubInventory()); len(f) != 0 {
		t.Errorf("499: got %+v", f)
	}
	f := diagnosed(add(newNode(), holdingDeleted(22, 500), holdingDeleted(23, 600)), hubInventory())
	if got, want := said(f), []string{"fd-deleted-files warning"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	if len(f[0].Evidence) != 2 || !strings.Contains(f[0].Evidence[0], "process 23 (java) holds 600") || !strings.Contains(f[0].Evidence[0], "600 × /var/log/app/….log (deleted)") {
		t.Errorf("got %q", f[0].Evidence)
	}
	if want := `find /proc/23/fd -lname '* (deleted)' -printf '%f %l\n' | head`; f[0].Remedy[0].Run != want {
		t.Errorf("got %q, want %q", f[0].Remedy[0].Run, want)
	}
}

// What no table holds matters on a node that is nearly full, and only if we
// have seen the whole kernel's processes.
func TestNoTable(t *testing.T) {
	for name, c := range map[string]struct {
		used            uint64
		kernel, held    int
		want            bool
		counted, unread bool
	}{
		"a quarter of a nearly full node": {800, 50, 600, true, true, false},
		"less than a quarter":             {800, 50, 601, false, true, false},
		"not nearly full":                 {799, 50, 100, false, true, false},
		"in a pid namespace":              {800, 0, 100, false, true, false},
		"descriptors were not counted":    {800, 50, 100, false, false, false},
		"more descriptors than files":     {800, 50, 5000, false, true, false},
		"some could not be read":          {800, 50, 300, true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := add(newNode(), process(9, "java", inPod, c.held, c.held))
			r.OpenFiles = openFiles(1000, c.used, c.used)
			r.Processes.KernelThreads = c.kernel
			if c.counted {
				r.Processes.FDMethod = "getdents"
			}
			if c.unread {
				add(r, report.Process{PID: 10, Comm: "hidden", State: "S", Cgroup: inPod})
			}
			findings := diagnosed(r, hubInventory())
			i := slices.IndexFunc(findings, func(f Finding) bool { return f.ID == FDNoTable })
			if i >= 0 != c.want {
				t.Fatalf("got %+v, want it: %v", findings, c.want)
			}
			if c.want && len(findings[i].Evidence) != map[bool]int{false: 1, true: 2}[c.unread] {
				t.Errorf("got %q", findings[i].Evidence)
			}
			if limit := slices.IndexFunc(findings, func(f Finding) bool { return f.ID == FDNodeLimit }); c.want && !slices.Contains(findings[limit].CausedBy, FDNoTable) {
				t.Errorf("got %+v", findings[limit])
			}
		})
	}
}
