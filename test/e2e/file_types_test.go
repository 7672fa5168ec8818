//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// TestFileTypesBesideDeadFUSE: a process holds a named FIFO, a directory that was
// not opened as one, a device, and a file whose daemon no longer answers. The
// last is not touched, and holds up nobody.
func TestFileTypesBesideDeadFUSE(t *testing.T) {
	const mount = "/mnt/file-types"
	var undo incidents.Undo
	t.Cleanup(func() {
		if err := undo.All(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := cluster.DeadFUSE(t.Context(), &undo, *sickNode, mount); err != nil {
		t.Fatal(err)
	}
	// It answers once more, for the file to be opened.
	onThisNode(t, *sickNode, `rm -f /run/file-types.fifo; mkfifo /run/file-types.fifo
daemon=$(pgrep -f "^/opt/deadfuse `+mount+`")
kill -CONT $daemon
setsid sh -c 'exec sleep 7201 <`+mount+`/held 7<>/run/file-types.fifo 8</etc' >/dev/null 2>&1 &
until pgrep -f "^sleep 7201"; do sleep 0.1; done
kill -STOP $daemon`)
	t.Cleanup(func() { onThisNode(t, *sickNode, `pkill -f "^sleep 7201"; rm /run/file-types.fifo`) })
	pid := strings.TrimSpace(onThisNode(t, *sickNode, `pgrep -f "^sleep 7201"`))

	look := func(args ...string) (a struct{ correlate.ProcessFDs }) {
		began := time.Now()
		decode(t, nodedoc(t, append([]string{"fd", *sickNode, "--pid", pid, "--interval", "100ms", "-o", "json"}, args...)...), &a)
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%q took %s", args, took)
		}
		return a
	}
	kinds := func(a struct{ correlate.ProcessFDs }) map[string]int {
		m := map[string]int{}
		for _, k := range a.Kinds {
			m[k.Name] = k.Count
		}
		return m
	}
	before := kinds(look())
	if before["file"] != 3 || before["device"] == 0 {
		t.Errorf("without asking: %v, want three files, and devices", before)
	}
	a := look("--file-types")
	if k := kinds(a); k["file"] != 1 || k["FIFO"] != 1 || k["directory"] != 1 || k["character device"] == 0 ||
		k["character device"]+k["device"] != before["device"] { // what came from another mount namespace is not asked for
		t.Errorf("asked for: %v", k)
	}
	found := false
	for _, u := range a.Gaps {
		found = found || strings.HasPrefix(u.What, "type of what is open on fuse") && u.Count == 1 && strings.Contains(u.Cause, "not touched")
	}
	if !found || a.FileTypes == nil || *a.FileTypes < 4 {
		t.Errorf("told of %v, gaps %+v, want one on FUSE", a.FileTypes, a.Gaps)
	}
}
