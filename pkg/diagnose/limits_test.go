package diagnose

import (
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func TestNodeLimit(t *testing.T) {
	for name, c := range map[string]struct {
		files *report.OpenFiles
		want  string // "" for no finding
		text  string
	}{
		"below 80 %":               {openFiles(1000, 799), "", ""},
		"80 %":                     {openFiles(1000, 800), "warning", "the node uses 80.0 % of its open files"},
		"below 95 %":               {openFiles(10000, 9499), "warning", "the node uses 95.0 % of its open files"},
		"95 %":                     {openFiles(1000, 950), "critical", "the node uses 95.0 % of its open files"},
		"over the limit, as root":  {openFiles(1000, 1001, 1002), "critical", "the node uses 100.2 % of its open files"},
		"half full, soon":          {openFiles(100_000, 49_997, 50_000), "warning", "the node uses 50.0 % of its open files, full in 4h37m at this rate"},
		"half full, in 6 h":        {openFiles(43_200, 21_599, 21_600), "warning", "full in 6h"},
		"half full, after 6 h":     {openFiles(43_204, 21_601, 21_602), "", ""},
		"half full, in 30 min":     {openFiles(3600, 1799, 1800), "critical", "full in 30m"},
		"half full, after 30 min":  {openFiles(3604, 1801, 1802), "warning", "full in 30m"},
		"not half full, but soon":  {openFiles(1000, 398, 499), "", ""},
		"half full, one jump":      {openFiles(1000, 100, 600, 600, 600, 600), "", ""},
		"half full, a wave":        {openFiles(1000, 100, 600, 500, 700), "", ""},
		"90 %, shrinking":          {openFiles(1000, 990, 900), "warning", "the node uses 90.0 % of its open files"},
		"counted once":             {openFiles(1000, 900), "warning", "the node uses 90.0 % of its open files"},
		"samples of one moment":    {&report.OpenFiles{Max: openFiles(1000).Max, Samples: []report.FileSample{{AtMillis: 5, Allocated: 1}, {AtMillis: 5, Allocated: 900}}}, "warning", "the node uses 90.0 % of its open files"},
		"used could not be read":   {openFiles(1000), "", ""},
		"limit could not be read":  {&report.OpenFiles{Samples: []report.FileSample{{Allocated: 900}}}, "", ""},
		"a node that makes it up":  {openFiles(1<<64-1, 1<<64-2, 1<<64-1), "critical", "the node uses 100.0 % of its open files"},
		"a clock that runs back":   {&report.OpenFiles{Max: openFiles(1000).Max, Samples: []report.FileSample{{AtMillis: 9, Allocated: 1}, {AtMillis: -9, Allocated: 900}}}, "warning", "the node uses 90.0 % of its open files"},
		"half full, in a thousand": {openFiles(1_000_000_000, 600_000_000, 600_000_001), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newNode()
			r.OpenFiles = c.files
			findings := diagnosed(r, nil)
			switch {
			case c.want == "" && len(findings) == 0:
			case len(findings) != 1 || findings[0].ID != FDNodeLimit || string(findings[0].Severity) != c.want:
				t.Errorf("got %+v, want %q", findings, c.want)
			case !strings.HasSuffix(findings[0].Summary, c.text) && !strings.Contains(findings[0].Summary, c.text+" at this rate"):
				t.Errorf("got %q, want %q", findings[0].Summary, c.text)
			}
		})
	}
}

func TestNodeLimitTellsNoRateOfOneCount(t *testing.T) {
	r := newNode()
	r.OpenFiles = openFiles(1000, 900)
	f := diagnosed(r, nil)
	if want := []string{"fs.file-nr is 900 of fs.file-max 1,000"}; len(f) != 1 || !slices.Equal(f[0].Evidence, want) {
		t.Errorf("got %+v, want evidence %q", f, want)
	}
}

func TestGrowth(t *testing.T) {
	second := int64(1000)
	for name, c := range map[string]struct {
		before, count int
		millis        int64
		age           uint64 // seconds
		want          bool
	}{
		"499 descriptors":         {400, 499, second, 3600, false},
		"500 descriptors":         {490, 500, second, 3600, true},
		"4 more":                  {996, 1000, second, 3600, false},
		"5 more":                  {995, 1000, second, 3600, true},
		"below 0.5 per second":    {990, 1000, 20100, 3600, false},
		"0.5 per second":          {990, 1000, 20 * second, 3600, true},
		"59 s old":                {900, 1000, second, 59, false},
		"60 s old":                {900, 1000, second, 60, true},
		"fewer":                   {1000, 900, second, 3600, false},
		"counted at one moment":   {900, 1000, 0, 3600, false},
		"a heartbeat every 1 s":   {4195, 4201, 3 * second, 3600, true},
		"comes and goes, kubelet": {3938, 3941, 3 * second, 3600, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newNode()
			r.Processes.FDIntervalMillis = c.millis
			p := process(22, "java", inPod, c.before, c.count)
			p.StartTicks = (86400 - c.age) * 100
			p.FDs.Targets = []report.Target{{Kind: "FIFO", Pattern: fifoPattern, Count: c.count}}
			findings := diagnosed(add(r, p), hubInventory())
			if !c.want && len(findings) == 0 {
				return
			}
			if len(findings) != 1 || findings[0].ID != FDGrowth || !c.want {
				t.Errorf("got %+v, want a finding: %v", findings, c.want)
			}
		})
	}
}

// A leak in an image is in all its pods: each is named, the heaviest first.
func TestGrowthNamesEachOwner(t *testing.T) {
	r := newNode()
	add(r, process(1, "systemd", inSystemd, 600, 700), process(2, "dockerd", inDocker, 1600, 1700),
		process(3, "kubelet", inKubelet, 800, 900), process(4, "java", inPod, 2600, 2700))
	var got []string
	for _, f := range diagnosed(r, hubInventory()) {
		got = append(got, f.Subject.Name())
	}
	if want := []string{"prod/hub-0", "docker.service", "kubelet.service", "init.scope"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExecSessions(t *testing.T) {
	for name, c := range map[string]struct {
		fifos []report.ExecFIFOs
		want  string
	}{
		"99 sessions":  {execFIFOPairs(containerID, 99), ""},
		"100 sessions": {execFIFOPairs(containerID, 100), "100 exec sessions of prod/hub-0, container agent (StatefulSet/hub) are open at once"},
		"many streams of few sessions before few streams of many": {[]report.ExecFIFOs{
			{Pattern: "/run/a/…-std*", Count: 280, ContainerID: strings.Repeat("e", 64), Sessions: 90},
			{Pattern: "/run/b/…-std*", Count: 150, ContainerID: containerID, Sessions: 150},
		}, "150 exec sessions of prod/hub-0, container agent (StatefulSet/hub) are open at once"},
		"a path that names no container":   {execFIFOPairs("", 200), "200 exec sessions of docker.service are open at once"},
		"a container that nobody knows of": {execFIFOPairs(strings.Repeat("e", 64), 200), "200 exec sessions of container eeeeeeeeeeeee are open at once"},
	} {
		t.Run(name, func(t *testing.T) {
			p := process(767196, "dockerd", inDocker, 2772, 2774)
			p.FDs.ExecFIFOs = c.fifos
			findings := diagnosed(add(newNode(), p), hubInventory())
			got := ""
			if len(findings) > 0 {
				got = findings[0].Summary
			}
			if got != c.want || len(findings) > 1 {
				t.Errorf("got %+v, want %q", findings, c.want)
			}
		})
	}
}

func TestTitle(t *testing.T) {
	pod := correlate.Owner{Type: correlate.OwnerPod, Namespace: "prod", Pod: "hub-0", Container: "agent", Workload: "Deployment/hub"}
	sandbox := pod
	sandbox.Sandbox = true
	for want, o := range map[string]correlate.Owner{
		"prod/hub-0, container agent (Deployment/hub)": pod,
		"prod/hub-0, its sandbox (Deployment/hub)":     sandbox,
		"pod " + podUID:           {Type: correlate.OwnerPod, PodUID: podUID},
		"container redis":         {Type: correlate.OwnerContainer, Container: "redis", ContainerID: containerID},
		"kubelet.service":         {Type: correlate.OwnerUnit, Unit: "kubelet.service"},
		"dockerd (cgroup /)":      {Type: correlate.OwnerCgroup, Cgroup: "/", Command: "dockerd"},
		"cgroup /podruntime/shim": {Type: correlate.OwnerCgroup, Cgroup: "/podruntime/shim"},
		"unknown":                 {Type: correlate.OwnerUnknown},
	} {
		if got := Title(o); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
