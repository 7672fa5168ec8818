package hostfs

import (
	"reflect"
	"testing"
)

func TestParseStatus(t *testing.T) {
	got := ParseStatus([]byte("Name:\tja\\nva\nTgid:\t3663411\nUid:\t1000\t1001\t1002\t1003\nNSpid:\t3663411\t77\t5\n"))
	want := Status{Name: `ja\nva`, Tgid: 3663411, UID: 1001, NSPIDs: []int{3663411, 77, 5}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseStatusTellsWhatStatDoes(t *testing.T) {
	got := ParseStatus([]byte("Name:\ta b\nState:\tD (disk sleep)\nTgid:\t7\nPPid:\t1\nVmRSS:\t    2048 kB\nThreads:\t3\n"))
	want := Status{Name: "a b", State: 'D', Tgid: 7, PPID: 1, Threads: 3, RSS: 2 << 20, UID: -1}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseStatusOfAnOldKernelHasNoNSpid(t *testing.T) {
	if got := ParseStatus([]byte("Tgid:\t1\nUid:\t0\t0\t0\t0\n")); got.NSPIDs != nil || got.UID != 0 {
		t.Errorf("got %+v", got)
	}
	if got := ParseStatus(nil); got.UID != -1 {
		t.Errorf("without Uid: got %d, want -1: absent is not root", got.UID)
	}
}

func TestParseCgroup(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []CgroupLine
	}{
		"v2":                {"0::/system.slice/kubelet.service\n", []CgroupLine{{"", "/system.slice/kubelet.service"}}},
		"v1":                {"11:memory:/a\n1:name=systemd:/b\n", []CgroupLine{{"memory", "/a"}, {"name=systemd", "/b"}}},
		"colons in path":    {"0::/system.slice/x:cri-containerd:abc\n", []CgroupLine{{"", "/system.slice/x:cri-containerd:abc"}}},
		"joined v1":         {"4:cpu,cpuacct:/\n", []CgroupLine{{"cpu,cpuacct", "/"}}},
		"no newline at end": {"0::/x", []CgroupLine{{"", "/x"}}},
		"torn":              {"0:\n:\n\n0::relative\n", nil},
		"nothing":           {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ParseCgroup([]byte(c.in)); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestJoinArgs(t *testing.T) {
	for name, c := range map[string]struct {
		in, want string
		limit    int
		cut      bool
	}{
		"arguments":          {"java\x00-jar\x00app.jar\x00", "java -jar app.jar", 100, false},
		"empty argument":     {"a\x00\x00b\x00", "a  b", 100, false},
		"setproctitle, NULs": {"nginx: worker\x00\x00\x00\x00", "nginx: worker", 100, false},
		"no NUL at all":      {"postgres: checkpointer", "postgres: checkpointer", 100, false},
		"too long":           {"aaaaaaaaaa\x00b\x00", "aaaaa", 5, true},
		"zombie":             {"", "", 100, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, cut := JoinArgs(Args([]byte(c.in)), c.limit)
			if got != c.want || cut != c.cut {
				t.Errorf("got %q %v, want %q %v", got, cut, c.want, c.cut)
			}
		})
	}
}

func TestParseFileNr(t *testing.T) {
	used, limit, err := ParseFileNr([]byte("76335\t0\t100000\n"))
	if used != 76335 || limit != 100000 || err != nil {
		t.Errorf("got %d %d %v", used, limit, err)
	}
	// fs.file-max is a long: its default on large machines is LONG_MAX.
	if _, limit, err = ParseFileNr([]byte("1\t0\t9223372036854775807")); limit != 9223372036854775807 || err != nil {
		t.Errorf("got %d %v", limit, err)
	}
	for _, bad := range []string{"", "1 2", "a 0 1", "1 0 -1", "1 0 2 3"} {
		if _, _, err := ParseFileNr([]byte(bad)); err == nil {
			t.Errorf("%q: want an error", bad)
		}
	}
}

func TestNodeFiles(t *testing.T) {
	if got := ParseBootTime([]byte("cpu 1 2\nintr 9 9\nctxt 5\nbtime 1700000000\nprocesses 3\n")); got != 1700000000 {
		t.Errorf("btime %d", got)
	}
	if got := ParseUptime([]byte("350735.47 234388.90\n")); got != 350735.47 {
		t.Errorf("uptime %f", got)
	}
	if got := ParseOSRelease([]byte("NAME=x\nPRETTY_NAME='Red Hat Enterprise Linux Server 7.9 (Maipo)'\n")); got != "Red Hat Enterprise Linux Server 7.9 (Maipo)" {
		t.Errorf("os %q", got)
	}
	if got := UserName([]byte("# c\nroot:x:0:0::/root:/bin/sh\nx:x:10\nalice:x:1000:1000:A:/home/a:/bin/sh\n"), 1000); got != "alice" {
		t.Errorf("user %q", got)
	}
}

func FuzzPIDFiles(f *testing.F) {
	f.Add([]byte("Tgid:\t1\nNSpid:\t1\t2\n"))
	f.Add([]byte("0::/a:b\n1:name=systemd:/\n"))
	f.Add([]byte("76335\t0\t100000\n"))
	f.Add([]byte("btime 1\nPRETTY_NAME=\"x\"\nroot:x:0:0:::\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ParseStatus(b)
		ParseCgroup(b)
		ParseBootTime(b)
		ParseUptime(b)
		ParseOSRelease(b)
		UserName(b, 0)
		_, _, _ = ParseFileNr(b)
		if line, cut := JoinArgs(Args(b), 16); len(line) > 16 || cut && len(line) != 16 {
			t.Fatalf("%q is cut to %q", b, line)
		}
		if s, ok := ParseShim(Args(b)); ok && s.ID == "" {
			t.Fatal("a shim without id")
		}
	})
}
