package diagnose

import (
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func limited(cgroup, count int, soft, hard uint64) report.Process {
	p := process(22, "java", cgroup, count, count)
	p.FDs.Limit = &report.FDLimit{Soft: &soft, Hard: &hard}
	return p
}

func theKubelet(p report.Process) report.Process {
	p.Comm = "kubelet"
	return p
}

func TestProcessLimit(t *testing.T) {
	endless := process(22, "java", inPod, 5000, 5000)
	endless.FDs.Limit = &report.FDLimit{}
	for name, c := range map[string]struct {
		p    report.Process
		want string
	}{
		"79 %":                         {limited(inPod, 819, 1024, 4096), ""},
		"80 %":                         {limited(inPod, 820, 1024, 4096), "fd-process-limit warning"},
		"at the limit, in a pod":       {limited(inPod, 1024, 1024, 4096), "fd-process-limit warning"},
		"94 %, of the host":            {limited(inKubelet, 972, 1024, 4096), "fd-process-limit warning"},
		"95 %, of the host":            {limited(inKubelet, 973, 1024, 4096), "fd-process-limit warning"},
		"95 %, the kubelet":            {theKubelet(limited(inKubelet, 973, 1024, 4096)), "fd-process-limit critical"},
		"95 %, a kubelet in a pod":     {theKubelet(limited(inPod, 973, 1024, 4096)), "fd-process-limit warning"},
		"94 %, the kubelet":            {theKubelet(limited(inKubelet, 972, 1024, 4096)), "fd-process-limit warning"},
		"a sandbox that opens no more": {limited(inPod, 99, 99, 99), ""},
		"lowered below what it has":    {limited(inPod, 40, 1, 1), ""},
		"none":                         {endless, ""},
		"not read":                     {process(22, "java", inPod, 5000, 5000), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(said(diagnosed(add(newNode(), c.p), hubInventory())), ","); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestProcessLimitRemedy(t *testing.T) {
	r := add(newNode(), limited(inKubelet, 60_000, 65_536, 65_536))
	r.OpenFiles = openFiles(1<<63-1, 70_000, 70_000)
	r.OpenFiles.PerProcessMax = new(uint64(100_000))
	var runs []string
	for _, step := range diagnosed(r, hubInventory())[0].Remedy {
		runs = append(runs, step.Run)
	}
	want := []string{"kubectl nodedoc fd node-43 --pid 22", "sysctl -w fs.nr_open=131072", "prlimit --pid 22 --nofile=131072:131072", "systemctl edit kubelet.service"}
	if !slices.Equal(runs, want) {
		t.Errorf("got %q, want %q", runs, want)
	}
}

// A unit's name is the node's to choose, and no piece of a shell command.
func TestProcessLimitOfAnOddUnit(t *testing.T) {
	r := newNode()
	r.Processes.Cgroups[inKubelet].Entries[0].Path = "/system.slice/a;reboot.service"
	for _, step := range diagnosed(add(r, limited(inKubelet, 1000, 1024, 4096)), hubInventory())[0].Remedy {
		if strings.Contains(step.Run, "reboot") {
			t.Errorf("got %q", step.Run)
		}
	}
}

// A hundred workers of one pod are one finding.
func TestProcessLimitNamesAnOwnerOnce(t *testing.T) {
	r := newNode()
	for i := range 5 {
		p := limited(inPod, 900+i, 1024, 4096)
		p.PID += i
		add(r, p)
	}
	f := diagnosed(r, hubInventory())
	if len(f) != 1 || len(f[0].Evidence) != 4 || f[0].Evidence[3] != "and 2 more of its processes are as near" || !strings.HasPrefix(f[0].Summary, "process 26 (java)") {
		t.Errorf("got %+v", f)
	}
}
