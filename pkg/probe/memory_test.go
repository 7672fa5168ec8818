//go:build linux

package probe

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func memoryOf(t *testing.T, fs hostfs.FS, more ...string) *report.NodeReport {
	t.Helper()
	req := report.NewRequest(append([]string{report.CollectProcesses, report.CollectMemory}, more...)...)
	req.Memory, req.IntervalMillis = true, 8
	r := collect(t, fs, req)
	if len(r.Probe.Failed) > 0 || r.Memory == nil {
		t.Fatalf("got %+v", r.Probe.Failed)
	}
	return r
}

// TestMemoryOfTrees: what is to be seen stands here, all of it in the golden files.
func TestMemoryOfTrees(t *testing.T) {
	for name, want := range map[string][]string{
		"memory-v1-cgroupfs-3.10": {
			"v1, root 12347965440, 9126805504 anon, 1610612736 inactive file",
			"kubepods/burstable/pod" + uidOf("web") + "/" + hex64("app") + " 1073741824 of 1073741824, 9 at the limit, waits",
			"updatedb before 6442450944", "behind updatedb of crond.service",
		},
		"memory-v1-hybrid": {
			"v1, root 6963200000, 4915200000 anon, 921600000 inactive file",
			"cri-containerd-" + hex64("db") + ".scope 4294967296 of 4294967296, 88 at the limit, 17 killed",
			"postgres before 4096000000, anon 921600000, pss 962560000",
		},
		"memory-v2-systemd": {
			"v2, root none, 7516192768 anon, 2147483648 inactive file",
			"cri-containerd-" + hex64("app") + ".scope 40500000 of 41943040, 2 at the limit, 0 killed",
			"updatedb.plocat before 4505600000, anon 4194302976, pss 4403200000",
			"systemd-udevd.service 13418496, 0 at the limit, 0 killed, 1 processes",
			`system.slice/system-serial\x2dgetty.slice 225280, 0 at the limit, 0 killed`,
			"behind updatedb.plocat of plocate-updatedb.service",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := memoryOf(t, plantFile(t, name), report.CollectBackground)
			text := memoryText(r)
			for _, w := range want {
				if !strings.Contains(text, w) {
					t.Errorf("no %q in\n%s", w, text)
				}
			}
			for i := range r.Memory.Samples {
				r.Memory.Samples[i].AtMillis = 0
			}
			normalise(r)
			for _, p := range r.Processes.List {
				if p.Detail != nil && strings.Contains(r.Processes.Cgroups[p.Cgroup].Entries[0].Path, "kubepods") {
					t.Errorf("%s of a pod was looked behind", p.Comm)
				}
			}
			checkGolden(t, name, &report.NodeReport{Memory: r.Memory, Processes: r.Processes, Background: r.Background})
		})
	}
}

func memoryText(r *report.NodeReport) string {
	var b strings.Builder
	root := r.Memory.Cgroups[0]
	usage := "none"
	if root.Usage != nil {
		usage = fmt.Sprint(*root.Usage)
	}
	fmt.Fprintf(&b, "v%d, root %s, %d anon, %d inactive file\n", r.Memory.CgroupVersion, usage, *root.Anon, *root.InactiveFile)
	for _, c := range r.Memory.Cgroups[1:] {
		fmt.Fprintf(&b, "%s %d", c.Path, *c.Usage)
		for _, n := range []struct {
			value *uint64
			form  string
		}{{c.Limit, " of %d"}, {c.AtLimit, ", %d at the limit"}, {c.OOMKills, ", %d killed"}} {
			if n.value != nil {
				fmt.Fprintf(&b, n.form, *n.value)
			}
		}
		if c.UnderOOM {
			b.WriteString(", waits")
		}
		if c.Processes > 0 {
			fmt.Fprintf(&b, ", %d processes", c.Processes)
		}
		b.WriteString("\n")
	}
	for i := range r.Processes.List {
		p := &r.Processes.List[i]
		if p.Memory != nil && p.Memory.RSSBefore != nil {
			fmt.Fprintf(&b, "%s before %d", p.Comm, *p.Memory.RSSBefore/uint64(os.Getpagesize())*4096)
			if p.Memory.Anon != nil && p.Memory.PSS != nil {
				fmt.Fprintf(&b, ", anon %d, pss %d", *p.Memory.Anon, *p.Memory.PSS)
			}
			b.WriteString("\n")
		}
		if p.Detail != nil && r.Background != nil {
			fmt.Fprintf(&b, "behind %s of %s\n", p.Comm, r.Processes.Cgroups[p.Cgroup].Unit())
		}
	}
	return b.String()
}
