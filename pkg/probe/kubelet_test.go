//go:build linux

package probe

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const nestedKubelets = `
-- proc/uptime --
100.00 1.00
-- proc/1 (process) --
comm systemd
parent 0
cgroup /init.scope
args init
-- proc/1/ns/mnt -> mnt:[1] --
-- proc/20 (process) --
comm kubelet
cgroup /kubepods.slice/kubepods-pod{uid_:evil}.slice/cri-containerd-{id:evil}.scope
args kubelet --root-dir=/evil
-- proc/20/ns/mnt -> mnt:[1] --
-- proc/21 (process) --
comm kubelet
args kubelet --root-dir=/unknown
-- proc/21/ns/mnt -> mnt:[1] --
-- proc/30 (process) --
comm kubelet
cgroup /docker/{id:kind}/kubelet.slice/kubelet.service
args kubelet --root-dir=/nested
-- proc/30/ns/mnt -> mnt:[2] --
-- proc/40 (process) --
comm kubelet
cgroup /system.slice/kubelet.service
args kubelet --token=secret --root-dir=/data/password=x/kubelet
rss 200
-- proc/40/ns/mnt -> mnt:[1] --
`

func TestKubeletOfTheHost(t *testing.T) {
	k := collectWith(t, plant(t, nestedKubelets), nil, collectProcesses, findKubelet, collectKubelet).Kubelet
	if k.PID != 40 || k.RootDir != "/data/password=x/kubelet" || k.RSSBytes != 200*int64(os.Getpagesize()) || k.CPUPercent == nil || *k.CPUPercent != 0 || k.SampleMillis < 500 {
		t.Errorf("got %+v", k)
	}
}

func TestKubeletAbsent(t *testing.T) {
	r := run{fs: plant(t, nestedKubelets+"-- proc/30 (absent) --\n-- proc/40 (absent) --\n"), silence: hostfs.NewSilence(), report: &report.NodeReport{}}
	if _, err := findKubelet(t.Context(), r); !errors.Is(err, errNoProcesses) {
		t.Errorf("got %v", err)
	}
	p, err := collectProcesses(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	p(&r)
	if _, err := findKubelet(t.Context(), r); !errors.Is(err, errNoKubelet) {
		t.Errorf("got %v", err)
	}
}

// What ended before it could be read twice has no CPU, not none.
func TestKubeletThatEnds(t *testing.T) {
	fs := plant(t, nestedKubelets)
	r := run{fs: fs, silence: hostfs.NewSilence(), report: &report.NodeReport{}}
	for _, collect := range []func(context.Context, run) (publish, error){collectProcesses, findKubelet} {
		p, err := collect(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		p(&r)
	}
	if err := os.Remove(filepath.Join(fs.Proc, "40/stat")); err != nil {
		t.Fatal(err)
	}
	p, err := collectKubelet(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	p(&r)
	if k := r.report.Kubelet; k.PID != 40 || k.CPUPercent != nil || len(k.Unreadable) != 1 {
		t.Errorf("got %+v", k)
	}
}
