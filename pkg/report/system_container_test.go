package report

import (
	"strings"
	"testing"
)

// What is found begins where it says: what a container in it makes changes nothing.
func FuzzSystemContainer(f *testing.F) {
	for _, path := range []string{"/lxc.payload.n1/x", "/lxc.payload/n1", "/lxc/101/ns/x", "//lxc//x", "/lxc", "/machine.slice/machine-a.scope/payload",
		"/machine.slice/systemd-nspawn@.service/payload/x", "/kubepods/lxc.payload.x", "/../lxc.payload.x/y", strings.Repeat("a", 64) + "/lxc.payload.x", ""} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		name, end := SystemContainer(path)
		if (name == "") != (end == 0) || end > len(path) || end < len(path) && end > 0 && path[end] != '/' {
			t.Fatalf("%q: %q at %d", path, name, end)
		}
		if again, at := SystemContainer(path + "/lxc.payload.other/system.slice/x.service"); name != "" && (again != name || at != end) {
			t.Fatalf("%q: a child made it %q at %d", path, again, at)
		}
	})
}
