package unmount

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// A dead container has the node's directories as peers of the node's: what is copied
// there goes, what lives on the node does not go with it.
func TestUmountReachesNoPeerThatLives(t *testing.T) {
	inEveryShell(t, func(t *testing.T, dir string, shell []string) {
		for _, name := range []string{"node", "node/sub", "node/stack"} {
			mountTmpfs(t, dir+"/"+name)
			if err := unix.Mount("", dir+"/"+name, "", unix.MS_SHARED, ""); err != nil {
				t.Fatal(err)
			}
		}
		mountTmpfs(t, dir+"/node/stack") // what is below it has no path
		for _, name := range []string{"live it's", "gone", "sub/live"} {
			mountTmpfs(t, dir+"/node/"+name)
		}
		bind(t, dir+"/node", dir+"/merged/host")
		all := mountsBelow(t, dir)
		mounts := slices.DeleteFunc(slices.Clone(all), func(m correlate.VolumeMount) bool {
			return !strings.HasPrefix(m.Point, dir+"/merged/") && m.Point != dir+"/node/gone"
		})
		p := planOf(t, all)
		p.Volumes[0].Mounts = mounts
		stdout, stderr, code := runScript(t, shell, scriptOf(t, p))
		// The stack stays, and with it what it stands upon.
		wantSummary(t, stdout, "4 unmounted, 0 went with them, 1 skipped because changed, 1 failed, 1 not there any more")
		var left []string
		for _, m := range mountsBelow(t, dir) {
			left = append(left, strings.TrimPrefix(m.Point, dir))
		}
		slices.Sort(left)
		want := []string{"/merged/host", "/merged/host/stack", "/merged/host/stack", "/node", "/node/live it's", "/node/stack", "/node/stack", "/node/sub", "/node/sub/live"}
		if !slices.Equal(left, want) || code != 1 {
			t.Errorf("left %q, want %q; stderr %q", left, want, stderr)
		}
	})
}

// Of a mount that is not leaked nobody changes the propagation.
func TestPeerOfWhatIsNotLeaked(t *testing.T) {
	table := []report.Mount{{ID: 1, Point: "/", Shared: 1}, {ID: 2, Parent: 1, FS: 0, Root: "/a", Point: "/b", Shared: 1},
		{ID: 3, Parent: 1, FS: 1, Point: "/a/x"}, {ID: 4, Parent: 2, FS: 2, Point: "/b/x"}, {ID: 5, Parent: 1, FS: 3, Point: "/a/y"}, {ID: 6, Parent: 2, FS: 3, Point: "/b/y"}}
	var b bytes.Buffer
	err := Script(&b, Plan{Is: report.Node{BootID: "b", Uptime: 1}, Table: table, Volumes: []correlate.Volume{{Name: "d-bp1", Mounts: []correlate.VolumeMount{
		{Mount: table[2], Number: "0:1", Leaked: true}, {Mount: table[4], Number: "0:3", Leaked: true}}}}})
	text := b.String()
	if err != nil || strings.Contains(text, "\napart ") || strings.Contains(text, "\nm 3 ") || !strings.Contains(text, "mount: ; left: ") || !strings.Contains(text, "\nm 5 ") {
		t.Errorf("%v, %s", err, text[strings.LastIndex(text, "this_node"):])
	}
}

func TestPeersThatNoKernelHas(t *testing.T) {
	var table []report.Mount
	var leaked []correlate.VolumeMount
	for i := range 30_000 { // masters in a circle, parents too, each at the same spot
		m := report.Mount{ID: i, Parent: (i + 1) % 30_000, FS: -1, Point: "/x", Shared: i + 1, Master: i + 2}
		if table = append(table, m); i%2 == 0 {
			leaked = append(leaked, correlate.VolumeMount{Mount: m, Leaked: true})
		}
	}
	err := Script(&bytes.Buffer{}, Plan{Is: report.Node{BootID: "b", Uptime: 1}, Table: table, Volumes: []correlate.Volume{{Mounts: leaked}}})
	if err != nil {
		t.Error(err)
	}
}
