//go:build linux

package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func collectOOMOf(t *testing.T, log string) *report.OOM {
	t.Helper()
	fs := plant(t, "-- log (escaped) --\n"+log)
	return collectWith(t, fs, nil, collectOOM).OOM
}

func TestOOM(t *testing.T) {
	o := collectWith(t, plantFile(t, "v1-oom-rhel7"), nil, collectOOM).OOM
	for i := range o.Kills { // pages are of this machine
		for k := range o.Kills[i].Largest {
			task := &o.Kills[i].Largest[k]
			task.RSS = task.RSS / uint64(os.Getpagesize()) * 4096
		}
	}
	checkGolden(t, "v1-oom-rhel7", &report.NodeReport{OOM: o})
}

func TestOOMWithoutTimes(t *testing.T) {
	o := collectOOMOf(t, "<6>x\n<3>Out of memory: Killed process 7 (a) total-vm:8kB, anon-rss:4kB, file-rss:0kB\n")
	if o.LogFrom != nil || len(o.Kills) != 1 || o.Kills[0].At != nil || o.Kills[0].Constraint != report.OOMNode {
		t.Errorf("got %+v", o)
	}
}

func TestOOMIsBounded(t *testing.T) {
	var log strings.Builder
	for i := range maxOOMKills + 5 {
		fmt.Fprintf(&log, "<3>[%d.5] Out of memory: Killed process %d (a) total-vm:8kB, anon-rss:4kB, file-rss:0kB\n", i*9, i+1)
	}
	o := collectOOMOf(t, log.String())
	if len(o.Kills) != maxOOMKills || o.Left != 5 || o.Kills[0].PID != 6 || *o.LogFrom != 0.5 {
		t.Errorf("got %d kills from %d on, left %d", len(o.Kills), o.Kills[0].PID, o.Left)
	}
}

func TestNoKernelLogIsNoEmptyOne(t *testing.T) {
	o := collectWith(t, hostfs.FS{Log: filepath.Join(t.TempDir(), "none")}, nil, collectOOM).OOM
	if len(o.Unreadable) != 1 || o.Unreadable[0].What != "kernel log" || len(o.Sources) != 0 {
		t.Errorf("got %+v", o)
	}
}
