package correlate

import (
	"strings"
	"testing"
)

func TestParentOfCgroup(t *testing.T) {
	for p, want := range map[string]string{"/": "", "": "", "a": "", "/a": "/", "/a/b": "/a", "/a/b/": "/a/b", strings.Repeat("/a", maxCgroupPath): "/"} {
		if got := parentOf(p); got != want {
			t.Errorf("%.20q: got %q", p, got)
		}
	}
}

// It is looked up in a moment, and not once for each of its elements.
func TestCgroupPathOfMegabytes(t *testing.T) {
	r := memNode(2, memCgroup("/", 1000, 0, 0, 0), memCgroup(strings.Repeat("/", 8<<20), 1, 0, 0, 0), memCgroup(strings.Repeat("/kubepods", 1<<20), 1, 0, 0, 0), memCgroup("kubepods/pod"+memPodUID, 1, 0, 0, 0))
	lives(r, 1, 0, "x", 10, ":"+strings.Repeat("/a", 8<<20))
	if m := Join(r, nil).Memory(MemoryOptions{}); m.Accounted == 0 {
		t.Errorf("got %+v", m)
	}
}
