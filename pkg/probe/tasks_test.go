//go:build linux

package probe

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func tasksOf(t *testing.T, archive string) *report.Tasks {
	t.Helper()
	req := report.NewRequest(report.CollectProcesses, report.CollectTasks)
	req.IntervalMillis = 5
	r, err := Collect(t.Context(), plant(t, archive), "test", req)
	if err != nil || len(r.Probe.Failed) > 0 || r.Tasks == nil {
		t.Fatalf("%v, %+v", err, r)
	}
	return r.Tasks
}

const tasksTotals = `
-- proc/sys/kernel/pid_max --
32768
-- proc/sys/kernel/threads-max --
192730
-- proc/loadavg --
0.20 0.18 0.12 1/80 11206
`

func TestTasksTotals(t *testing.T) {
	got := tasksOf(t, tasksTotals)
	if *got.PIDMax != 32768 || *got.ThreadsMax != 192730 || *got.Total != 80 {
		t.Errorf("got %+v", got)
	}
	torn := tasksOf(t, "\n-- proc/sys/kernel/pid_max --\nmany\n-- proc/loadavg --\n0.1 0.2 0.3\n-- proc/1/mountinfo --\n")
	if torn.PIDMax != nil || torn.ThreadsMax != nil || torn.Total != nil || len(torn.Unreadable) != 3 {
		t.Errorf("torn, torn and not there: got %+v", torn)
	}
}

func TestKernelThreadGroups(t *testing.T) {
	var b strings.Builder
	for i, comm := range []string{"jbd2/vdb-8", "jbd2/vdc-8", "jbd2/nvme10n1p1", "ksoftirqd/0", "ksoftirqd/1", "kdmflush/253:0", "kthreadd"} {
		state := "S"
		if comm == "jbd2/vdb-8" {
			state = "D"
		}
		fmt.Fprintf(&b, "-- proc/%d (process) --\ncomm %s\nkernel\nstate %s\n", 10+i, comm, state)
	}
	want := []report.KernelThreadGroup{
		{Pattern: "jbd2/*", Count: 3, Devices: 3, Sample: 10, Blocked: 1, Names: []report.ThreadDeviceName{{Name: "nvme10n1p1", Cut: true}, {Name: "vdb"}, {Name: "vdc"}}},
		{Pattern: "ksoftirqd/*", Count: 2, Sample: 13},
		{Pattern: "kdmflush/*", Count: 1, Devices: 1, Sample: 15, Names: []report.ThreadDeviceName{{Name: "253:0"}}},
		{Pattern: "kthreadd", Count: 1, Sample: 16},
	}
	if got := tasksOf(t, "\n"+b.String()).KernelThreads; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestManySortsOfKernelThreads(t *testing.T) {
	var threads []kernelThread
	for i := range maxThreadGroups + 50 {
		name := strings.Repeat("a", i/26) + string(rune('a'+i%26))
		threads = append(threads, kernelThread{pid: i + 2, comm: name, state: "D"})
	}
	list := groupKernelThreads(threads)
	sum, blocked := 0, 0
	for _, g := range list {
		sum, blocked = sum+g.Count, blocked+g.Blocked
	}
	if len(list) != maxThreadGroups+1 || sum != len(threads) || blocked != sum {
		t.Errorf("%d groups of %d threads, %d blocked", len(list), sum, blocked)
	}
}

// thread is one of a process with several.
func thread(pid, tid int, state, wchan string, switches bool) string {
	status := fmt.Sprintf("Name:\tx\nState:\t%s\n", state)
	if switches {
		status += "voluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t1\n"
	}
	dir := fmt.Sprintf("proc/%d/task/%d/", pid, tid)
	return fmt.Sprintf("-- %sstat --\n%d (t%d) %s 1 0 0 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 3 0 1000 0 100%s\n-- %sstatus --\n%s-- %swchan --\n%s\n",
		dir, tid, tid, state, strings.Repeat(" 0", 28), dir, status, dir, wchan)
}

func TestBlockedTasks(t *testing.T) {
	got := tasksOf(t, `
-- log --
<3>[  100.000000] INFO: task dd:20 blocked for more than 122 seconds.
<3>[  223.000000] INFO: task dd:20 blocked for more than 245 seconds.
<3>[  223.000001] INFO: task another:23 blocked for more than 245 seconds.
<12>[  224.000000] INFO: task t220:220 blocked for more than 999 seconds.
-- proc/20 (process) --
comm dd
state D
-- proc/21 (process) --
comm was-blocked
state D
-- proc/22 (process) --
comm java
threads 3
-- proc/23 (process) --
comm jbd2/vdb-8
kernel
state D
-- proc/24 (process) --
comm sleeps
`+thread(20, 20, "D", "rpc_wait_bit_killable", true)+thread(21, 21, "S", "0", true)+
		thread(22, 22, "S", "0", true)+thread(22, 220, "D", "0", true)+thread(22, 221, "D", "io_schedule", false)+
		thread(23, 23, "D", strings.Repeat("w", 100), true))
	stayed := got.LookedMillis
	want := []report.BlockedTask{
		{PID: 20, TID: 20, Comm: "dd", Wchan: "rpc_wait_bit_killable", StayedMillis: stayed, LoggedSeconds: 245},
		{PID: 22, TID: 220, Comm: "t220", StayedMillis: stayed},
		{PID: 22, TID: 221, Comm: "t221", Wchan: "io_schedule"}, // no count of its switches: nobody can tell
		{PID: 23, TID: 23, Comm: "jbd2/vdb-8", Wchan: strings.Repeat("w", 64), StayedMillis: stayed, Kernel: true},
	}
	if stayed < 5 || !slices.Equal(got.Blocked, want) || got.ThreadsUnseen != 0 {
		t.Errorf("after %d ms: got %+v\nwant %+v", stayed, got.Blocked, want)
	}
}

func TestNobodyBlockedIsNotWaitedFor(t *testing.T) {
	if got := tasksOf(t, "\n-- proc/20 (process) --\ncomm dd\n"); got.LookedMillis != 0 || got.Blocked != nil {
		t.Errorf("got %+v", got)
	}
}

// cgroupDir has the files of the pids controller.
func cgroupDir(dir, current, limit string, refused int) string {
	dir = "root/sys/fs/cgroup" + dir
	return fmt.Sprintf("-- %s/pids.current --\n%s\n-- %s/pids.max --\n%s\n-- %s/pids.events --\nmax %d\n", dir, current, dir, limit, dir, refused)
}

func limitTexts(limits []report.TaskLimit) []string {
	list := make([]string, 0, len(limits))
	for _, l := range limits {
		text := "max"
		if l.Max != nil {
			text = fmt.Sprint(*l.Max)
		}
		list = append(list, fmt.Sprintf("%s %d/%s -%d", l.Path, l.Current, text, l.Refused))
	}
	return list
}

func TestTaskLimits(t *testing.T) {
	pod := "/kubepods/burstable/pod" + uidOf("web")
	inPod := pod + "/" + hex64("app")
	slice := "/kubepods.slice/kubepods-pod" + strings.ReplaceAll(uidOf("web"), "-", "_") + ".slice"
	own := slice + "/cri-containerd-" + hex64("nodedoc") + ".scope"
	beside := slice + "/cri-containerd-" + hex64("beside") + ".scope"
	for name, c := range map[string]struct {
		archive string
		want    []string
		none    bool
		bad     int
	}{
		"v1, the pod's limit, refused below it": {`
-- proc/1/mountinfo --
124 1 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
125 124 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
126 124 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
127 124 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
-- proc/20 (process) --
comm app
cgroup v1 ` + inPod + `
` + cgroupDir("/pids"+pod, "50", "100", 0) + cgroupDir("/pids"+inPod, "49", "max", 7) + cgroupDir("/pids/kubepods", "70", "max", 0),
			[]string{pod + " 50/100 -0", inPod + " 49/max -7"}, false, 0},
		"v2, and an ended cgroup": {`
-- proc/1/mountinfo --
32 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
-- proc/20 (process) --
comm cron
cgroup /system.slice/cron.service
-- proc/21 (process) --
comm gone
cgroup /system.slice/gone.service
` + cgroupDir("/system.slice", "50", "max", 0) + cgroupDir("/system.slice/cron.service", "3", "19200", 0),
			[]string{"/system.slice/cron.service 3/19200 -0"}, false, 0},
		"v2, from a namespace of the probe's own": {`
-- proc/self -> 77 --
-- proc/1/mountinfo --
32 25 0:26 /../../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw
-- proc/20 (process) --
comm cron
cgroup /../../../system.slice/cron.service
-- proc/21 (process) --
comm beside
cgroup /../cri-containerd-` + hex64("beside") + `.scope
-- root/sys/fs/cgroup` + own + `/cgroup.procs --
76
77
-- root/sys/fs/cgroup` + beside + `/cgroup.procs --
21
` + cgroupDir("/system.slice/cron.service", "3", "19200", 0) + cgroupDir(slice, "5", "64", 2) + cgroupDir(beside, "4", "32", 0),
			[]string{slice + " 5/64 -2", beside + " 4/32 -0", "/system.slice/cron.service 3/19200 -0"}, false, 0},
		"a node in a container": {`
-- proc/1/mountinfo --
127 124 0:36 /docker/ab /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
-- proc/20 (process) --
comm cron
cgroup v1 /docker/ab/system.slice/cron.service
-- proc/21 (process) --
comm outside
cgroup v1 /docker/abc/x
` + cgroupDir("/pids/system.slice/cron.service", "3", "512", 0),
			[]string{"/docker/ab/system.slice/cron.service 3/512 -0"}, false, 1},
		"no pids controller": {`
-- proc/1/mountinfo --
125 124 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
-- proc/20 (process) --
comm app
cgroup v1 /a
`, nil, true, 0},
		"v2 without it": {`
-- proc/1/mountinfo --
32 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
-- proc/20 (process) --
comm cron
cgroup /system.slice/cron.service
`, nil, true, 0},
		"torn": {`
-- proc/1/mountinfo --
32 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
-- proc/20 (process) --
comm a
cgroup /a
-- proc/21 (process) --
comm b
cgroup /b
` + cgroupDir("/a", "3", "lots", 0) + cgroupDir("/b", "many", "5", 0), nil, false, 2},
	} {
		t.Run(name, func(t *testing.T) {
			got := tasksOf(t, tasksTotals+c.archive)
			bad := 0
			for _, u := range got.Unreadable {
				bad += u.Count
			}
			texts := limitTexts(got.Limits)
			slices.Sort(texts)
			slices.Sort(c.want)
			if !slices.Equal(texts, c.want) || got.NoPIDsController != c.none || bad != c.bad {
				t.Errorf("got %q, none %v, unreadable %+v\nwant %q", texts, got.NoPIDsController, got.Unreadable, c.want)
			}
		})
	}
}
