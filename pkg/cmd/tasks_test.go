package cmd

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// stuckNode has a pod that waits for NFS, leaves zombies and fills its limit.
func stuckNode() *report.NodeReport {
	r := sickNode()
	r.Processes.FDMethod = ""
	for i := range r.Processes.List {
		r.Processes.List[i].FDs = nil
	}
	java := r.Processes.List[3]
	for i := range 120 {
		r.Processes.List = append(r.Processes.List, report.Process{PID: 50_000 + i, PPID: java.PID, Comm: "sh", State: "Z", Threads: 1, Cgroup: java.Cgroup})
	}
	r.Tasks = &report.Tasks{PIDMax: new(uint64(32_768)), ThreadsMax: new(uint64(99_999)), Total: new(uint64(400)), LookedMillis: 2000,
		Blocked: []report.BlockedTask{{PID: java.PID, TID: java.PID, Comm: "java", Wchan: "rpc_wait_bit_killable", StayedMillis: 2000}}}
	return r
}

func TestTasksFormats(t *testing.T) {
	path := save(t, stuckNode(), hubInventory())
	for name, c := range map[string]struct{ args, want string }{
		"table":            {"", "node-43: 400 of 32,768 threads (1.2 % of kernel.pid_max): "},
		"jsonpath":         {"-o jsonpath={.rows[0].owner.pod}", "hub-0"},
		"jsonpath, number": {"-o jsonpath={.zombies[0].count}", "120"},
		"go-template":      {"-o go-template={{range.findings}}{{.id}},{{end}}", "tasks-zombies,tasks-blocked,"},
		"name, top":        {"-o name --top 1", "pod/hub-0\n"},
		"filtered":         {"-n nope -o jsonpath={.rows}{.blocked}{.zombies}{.findings}", "[][][][]"},
		"by workload":      {"--by workload -o jsonpath={.rows[0].owner.workload}", "StatefulSet/hub"},
		"by a label":       {"-l app=nothing -o jsonpath={.filter.matched}", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := run(t, append([]string{"tasks", "--from", path}, strings.Fields(c.args)...)...)
			if !strings.HasPrefix(stdout, c.want) || stderr != "" || code != ExitOK {
				t.Errorf("got %q, %q, exit %d, want %q", stdout, stderr, code, c.want)
			}
		})
	}
}

func TestTasksDocument(t *testing.T) {
	stdout, _, _ := run(t, "tasks", "--from", save(t, stuckNode(), hubInventory()), "-o", "json")
	var a struct {
		APIVersion, Kind, Node string
		Kernel, Devices        []any
	}
	if err := json.Unmarshal([]byte(stdout), &a); err != nil || a.Kind != "NodeTasks" || a.APIVersion != report.APIVersion || a.Node != "node-43" || a.Kernel == nil || a.Devices == nil {
		t.Errorf("%v, %+v in %s", err, a, stdout)
	}
}

// Threads of a device that is mounted nowhere: what holds it is a finding here, too.
func TestTasksOfDetachedDevices(t *testing.T) {
	r := sickNode()
	r.Tasks = &report.Tasks{Total: new(uint64(400)), KernelThreads: []report.KernelThreadGroup{
		{Pattern: "jbd2/*", Count: 1, Devices: 1, Sample: 50, Names: []report.ThreadDeviceName{{Name: "loop7"}}}}}
	r.Mounts = &report.Mounts{}
	r.Devices = &report.Devices{List: []report.Device{{Number: "7:7", Name: "loop7", Detached: "ext4", Threads: 1}}}
	path := save(t, r, hubInventory())
	const template = "{{range.devices}}{{.name}} {{.detached}}{{end}}{{range.findings}} {{.id}}{{end}}"
	if stdout, stderr, _ := run(t, "tasks", "--from", path, "-o", "go-template="+template); stdout != "loop7 ext4 mounts-detached" {
		t.Errorf("got %q, %q", stdout, stderr)
	}
}

// A report answers what it was made for; an empty answer would lie.
func TestTasksOfAnotherReport(t *testing.T) {
	failed := stuckNode()
	failed.Tasks, failed.Probe.Failed = nil, []report.Unreadable{{What: report.CollectTasks, Cause: "gave up after 32s"}}
	for want, args := range map[string][]string{
		"the report was made without looking at tasks: make one with tasks --save":                        {"tasks", "--from", save(t, sickNode(), nil)},
		"the report has no tasks; tasks: gave up after 32s":                                               {"tasks", "--from", save(t, failed, nil)},
		"labels are the API server's, and the report was saved without it: --selector cannot be answered": {"tasks", "--from", save(t, stuckNode(), nil), "-l", "a=b"},
		"the report was made without counting descriptors, as whois-pid does: make one with fd --save":    {"fd", "--from", save(t, stuckNode(), nil)},
	} {
		t.Run(want[:min(len(want), 40)], func(t *testing.T) {
			stdout, stderr, code := run(t, args...)
			if stderr != fmt.Sprintf("error: %s\n", want) || stdout != "" || code != ExitFailed {
				t.Errorf("got %q, %q, exit %d", stdout, stderr, code)
			}
		})
	}
}
