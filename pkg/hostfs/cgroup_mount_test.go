package hostfs

import "testing"

func TestParseCgroupMount(t *testing.T) {
	for name, c := range map[string]struct {
		line string
		want CgroupMount
		ok   bool
	}{
		"v2":                    {"32 25 0:26 / /sys/fs/cgroup rw,nosuid shared:5 - cgroup2 cgroup2 rw,nsdelegate", CgroupMount{"/sys/fs/cgroup", "/", true}, true},
		"v1":                    {"133 125 0:36 / /sys/fs/cgroup/pids rw shared:16 - cgroup cgroup rw,pids", CgroupMount{"/sys/fs/cgroup/pids", "/", false}, true},
		"v1, co-mounted":        {"1 2 0:36 / /cg/cpu,pids rw - cgroup none rw,cpu,pids", CgroupMount{"/cg/cpu,pids", "/", false}, true},
		"v1, another":           {"1 2 0:36 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory", CgroupMount{"/sys/fs/cgroup/memory", "/", false}, false},
		"named like it":         {"1 2 0:36 / /sys/fs/cgroup/x rw - cgroup cgroup rw,xattr,name=pids", CgroupMount{"/sys/fs/cgroup/x", "/", false}, false},
		"a node in a container": {"1 2 0:36 /docker/ab /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids", CgroupMount{"/sys/fs/cgroup/pids", "/docker/ab", false}, true},
		"seen from a pod":       {"1 2 0:26 /../../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw", CgroupMount{"/sys/fs/cgroup", "/../../..", true}, true},
		"escaped":               {`1 2 0:26 / /a\040b rw - cgroup2 none rw`, CgroupMount{"/a b", "/", true}, true},
		"a point like one":      {"1 2 0:26 / /x rw - tmpfs cgroup rw", CgroupMount{}, false},
		"torn":                  {"1 2 0:26 / /x rw - cgroup", CgroupMount{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := ParseCgroupMount([]byte(c.line), "pids")
			if ok != c.ok || ok && got != c.want {
				t.Errorf("got %+v, %v", got, ok)
			}
		})
	}
}

func FuzzParseCgroupMount(f *testing.F) {
	f.Add([]byte("32 25 0:26 / /sys/fs/cgroup rw shared:5 - cgroup2 cgroup2 rw,nsdelegate"))
	f.Add([]byte("1 2 0:36 / / rw - cgroup "))
	f.Fuzz(func(t *testing.T, line []byte) {
		if m, ok := ParseCgroupMount(line, "pids"); ok && m.Point == "" {
			t.Fatal("no point")
		}
	})
}

func TestParsePIDsMax(t *testing.T) {
	if n, err := ParsePIDsMax([]byte("max\n")); n != nil || err != nil {
		t.Errorf("max: got %v, %v", n, err)
	}
	if n, err := ParsePIDsMax([]byte("1024\n")); err != nil || n == nil || *n != 1024 {
		t.Errorf("1024: got %v, %v", n, err)
	}
	for _, torn := range []string{"", "-1", "1 2", "many"} {
		if _, err := ParsePIDsMax([]byte(torn)); err == nil {
			t.Errorf("%q: no error", torn)
		}
	}
}

func TestParsePIDsEvents(t *testing.T) {
	for in, want := range map[string]uint64{"max 17\n": 17, "max 0\n": 0, "": 0, "other 3\nmax 5\n": 5, "maximum 9\n": 0, "max x\n": 0} {
		if got := ParsePIDsEvents([]byte(in)); got != want {
			t.Errorf("%q: got %d, want %d", in, got, want)
		}
	}
}

func TestParseTaskLook(t *testing.T) {
	l := ParseTaskLook([]byte("Name:\tjava\nState:\tD (disk sleep)\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n"))
	if l.State != 'D' || l.Switches == nil || *l.Switches != 15 {
		t.Errorf("got %+v", l)
	}
	if l := ParseTaskLook([]byte("State:\tS (sleeping)\nvoluntary_ctxt_switches:\t12\n")); l.State != 'S' || l.Switches != nil {
		t.Errorf("cut short: got %+v", l)
	}
}

func FuzzParseTaskLook(f *testing.F) {
	f.Add([]byte("State:\tD (disk sleep)\nvoluntary_ctxt_switches:\t1\nnonvoluntary_ctxt_switches:\t2\n"))
	f.Fuzz(func(_ *testing.T, b []byte) { ParseTaskLook(b) })
}

func TestStateOf(t *testing.T) {
	for in, want := range map[string]byte{"7 (a) D (b) S 1 2": 'S', "7 (sh) D 1": 'D', "7 (sh": 0, "7 (sh)": 0, "7 (sh) ": 0, "": 0} {
		if got := StateOf([]byte(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
