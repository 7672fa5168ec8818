package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// hostileNames are what somebody calls a process, a pod or a path to do harm to whoever
// reads a ticket. Each that runs would call alert, or ask the server at address.
func hostileNames(address string) []string {
	return []string{
		`<script>alert(1)</script>`,
		`</script><script>alert(2)</script>`,
		`</style><style>@import url(` + address + `/style)</style>`,
		`"><img src=` + address + `/image onerror=alert(3)>`,
		`' onmouseover='alert(4)' autofocus onfocus='alert(5)`,
		`<svg onload=alert(6)>`,
		`<iframe src="javascript:alert(7)"></iframe>`,
		`<a href="javascript:alert(8)">click</a>`,
		`javascript:alert(9)`,
		`<meta http-equiv=refresh content="0;url=` + address + `/refresh">`,
		`<link rel=stylesheet href=` + address + `/link>`,
		`<base href=` + address + `/>`,
		"two\nlines\r\nand\ta tab",
		"right-to-left \u202e override \u2066isolate",
		`{{.Policy}} {{template "part"}}`,
		`<!-- comment --> ]]> &lt;b&gt; &#60;i&#62;`,
		strings.Repeat("an-unbroken-name", 60),
		"\x1b]0;title\a \x00 \u009b31m",
	}
}

// cgroupOf puts the i-th owner into a cgroup with a hostile name.
func cgroupOf(name string) report.Cgroup {
	return report.Cgroup{Entries: []report.CgroupEntry{{Path: "/" + report.Escape(strings.ReplaceAll(name, "/", "∕"))}}}
}

// hostileReport is of a node that is nearly out of open files, held by hostile owners,
// more than a table shows at once.
func hostileReport(address string) *report.NodeReport {
	limit := uint64(100_000)
	r := &report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind, Probe: report.Probe{Version: "test"},
		Node: report.Node{Hostname: report.Escape(`node <img src=x onerror=alert(0)>`), Now: 1_700_086_400, BootTime: 1_700_000_000, Uptime: 86_400, ClockTicks: 100},
		OpenFiles: &report.OpenFiles{Max: &limit, Samples: []report.FileSample{
			{Allocated: 98_000}, {AtMillis: 1000, Allocated: 98_200}, {AtMillis: 2000, Allocated: 98_400}, {AtMillis: 3000, Allocated: 98_600}}},
		Processes: &report.Processes{FDMethod: "getdents", FDIntervalMillis: 3000}}
	names := hostileNames(address)
	for i := range 24 {
		names = append(names, fmt.Sprintf("usual-%02d.service", i))
	}
	for i, name := range names {
		count := 4000 - 90*i
		before := count - 7*i
		r.Processes.Cgroups = append(r.Processes.Cgroups, cgroupOf(name))
		p := report.Process{PID: 1000 + i, PPID: 1, Comm: report.Escape(name[:min(15, len(name))]), Cmdline: report.Escape(name), State: "S", Cgroup: i, StartTicks: 1000, Threads: 1,
			FDs: &report.FDs{Count: count, Before: &before, Targets: []report.Target{{Kind: "file", Pattern: report.Escape(name), Count: count / 2}}}}
		r.Processes.List = append(r.Processes.List, p)
	}
	return r
}

func save(t *testing.T, r *report.NodeReport) string {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
