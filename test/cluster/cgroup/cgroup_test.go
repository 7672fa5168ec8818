package cgroup

import (
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name      string
		mountinfo string
		want      Tree
		pure      bool
	}{
		{
			name: "v2",
			mountinfo: `23 28 0:22 / /proc rw,nosuid - proc proc rw
29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate
`,
			want: Tree{{Mount: "/sys/fs/cgroup", Unified: true, Options: "rw,nsdelegate"}},
			pure: true,
		},
		{
			name: "hybrid, with and without optional fields",
			mountinfo: `30 23 0:27 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755
31 30 0:28 / /sys/fs/cgroup/unified rw shared:10 master:2 - cgroup2 cgroup2 rw
32 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
`,
			want: Tree{
				{Mount: "/sys/fs/cgroup/unified", Unified: true, Options: "rw"},
				{Mount: "/sys/fs/cgroup/cpu,cpuacct", Options: "rw,cpu,cpuacct"},
			},
		},
		{
			name:      "a container's view, mounted elsewhere",
			mountinfo: "40 39 0:29 / /mnt/x/sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
		},
		{name: "cut short", mountinfo: "40 39 0:29 / /sys/fs/cgroup\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parse(strings.NewReader(test.mountinfo))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if got.pure() != test.pure {
				t.Errorf("pure is %v", got.pure())
			}
		})
	}
}

func TestHas(t *testing.T) {
	both := Hierarchy{Options: "rw,cpu,cpuacct"}
	if !both.has("cpuacct") || both.has("cpuset") || both.has("cp") {
		t.Error("has does not go by whole names")
	}
}
