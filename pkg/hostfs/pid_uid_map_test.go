package hostfs

import "testing"

func TestIDMap(t *testing.T) {
	for name, c := range map[string]struct {
		in                   string
		uid                  int
		inside, first, count int
	}{
		"a pod's":                {"         0     131072      65536\n", 131072, 0, 131072, 65536},
		"a user within":          {"         0     131072      65536\n", 132072, 0, 131072, 65536},
		"the host's":             {"         0          0 4294967295\n", 1000, 0, 0, 0},
		"of another":             {"         0     131072      65536\n", 1000, 0, 0, 0},
		"rootless, two lines":    {"         0       1000          1\n         1     100000      65536\n", 100999, 1, 100000, 65536},
		"of a namespace without": {"", 0, 0, 0, 0},
		"no numbers":             {"0 -1 x\n", 0, 0, 0, 0},
	} {
		inside, first, count, ok := ParseIDMap([]byte(c.in), c.uid)
		if inside != c.inside || first != c.first || count != c.count || ok != (c.count > 0) {
			t.Errorf("%s: got %d %d %d %v", name, inside, first, count, ok)
		}
	}
}

func FuzzIDMap(f *testing.F) {
	f.Add([]byte("         0     131072      65536\n"), 131072)
	f.Add([]byte("0 4294967295 4294967295\n 1 2\n"), -1)
	f.Fuzz(func(t *testing.T, b []byte, uid int) {
		if inside, first, count, ok := ParseIDMap(b, uid); ok && (inside < 0 || first < 0 || uid < first || uid-first >= count) {
			t.Errorf("got %d %d %d for %d", inside, first, count, uid)
		}
	})
}
