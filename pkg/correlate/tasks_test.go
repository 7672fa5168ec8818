package correlate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	taskPodUID  = "93e182b4-1f00-4c6e-9d51-0242ac120002"
	goneTaskUID = "11111111-1f00-4c6e-9d51-0242ac120002"
)

var taskContainer = fmt.Sprintf("%064x", 7)

func tasksReport() *report.NodeReport {
	cgroup := func(path string) report.Cgroup {
		return report.Cgroup{Entries: []report.CgroupEntry{{Controllers: "pids", Path: path}}}
	}
	return &report.NodeReport{
		Node: report.Node{Hostname: "node-43", Uptime: 1000, ClockTicks: 100},
		Processes: &report.Processes{KernelThreads: 60, Cgroups: []report.Cgroup{cgroup("/init.scope"), cgroup("/kubepods/pod" + taskPodUID + "/" + taskContainer)},
			List: []report.Process{
				{PID: 1, Comm: "systemd", State: "S", Threads: 1},
				{PID: 20, PPID: 1, Comm: "java", Cmdline: "java -jar hub.jar", State: "S", Threads: 93, Cgroup: 1},
				{PID: 21, PPID: 20, Comm: "sh", State: "Z", Threads: 1, Cgroup: 0, StartTicks: 60_000}, // v1 puts zombies into the root
				{PID: 22, PPID: 20, Comm: "curl", State: "Z", Threads: 1, Cgroup: 1, StartTicks: 50_000},
				{PID: 23, PPID: 20, Comm: "headless", State: "Z", Threads: 5, Cgroup: 1},
				{PID: 24, PPID: 0, Comm: "sh", State: "Z", Threads: 0, Cgroup: 1},
				{PID: 2, Comm: "kthreadd", State: "S", Threads: 1, Kernel: true}, // one that was asked for
			}},
		Tasks: &report.Tasks{PIDMax: new(uint64(32768)), ThreadsMax: new(uint64(1000)), Total: new(uint64(200)), LookedMillis: 2000},
	}
}

func taskInventory() *inventory.Inventory {
	return &inventory.Inventory{Node: "node-43", Pods: []inventory.Pod{{Namespace: "prod", Name: "hub-0", UID: taskPodUID, Workload: "StatefulSet/hub",
		Labels: map[string]string{"app": "hub"}, Containers: []inventory.Container{{Name: "agent", ID: taskContainer}}}}}
}

func TestTasksRanking(t *testing.T) {
	r := tasksReport()
	r.Tasks.Limits = []report.TaskLimit{{Path: "/kubepods/pod" + taskPodUID, Current: 100, Max: new(uint64(200))},
		{Path: "/kubepods/pod" + taskPodUID + "/" + taskContainer + "/made-inside", Current: 9, Max: new(uint64(9))}}
	got := Join(r, taskInventory()).Tasks(TaskOptions{})
	var rows []string
	for _, row := range got.Rows {
		text := fmt.Sprintf("%s [%s] %d of %d, %.0f %%, heaviest %d, zombies %d", row.Owner.Name(), row.Container, row.Tasks, row.Processes, row.Percent, row.Heaviest.PID, row.Zombies)
		if row.Limit != nil {
			text += fmt.Sprintf(", %d of %d", row.Limit.Current, row.Limit.Max)
		}
		rows = append(rows, text)
	}
	want := []string{
		"prod/hub-0 [agent] 101 of 5, 50 %, heaviest 20, zombies 3, 100 of 200",
		"kernel [] 60 of 0, 30 %, heaviest 0, zombies 0",
		"init.scope [] 1 of 1, 0 %, heaviest 1, zombies 0",
	}
	if !slices.Equal(rows, want) {
		t.Errorf("got %q\nwant %q", rows, want)
	}
	if got.Processes != 6 || got.Threads != 102 || got.KernelThreads != 60 || got.Usage.Limit != "kernel.threads-max" || got.Usage.Percent != 20 {
		t.Errorf("sums %+v, %+v", got, got.Usage)
	}
}

func TestTasksBy(t *testing.T) {
	n := Join(tasksReport(), taskInventory())
	for by, want := range map[By]string{ByPod: "prod/hub-0 0", ByContainer: "prod/hub-0 0", ByWorkload: "prod/StatefulSet/hub 0", ByProcess: "prod/hub-0 20", ByUnit: "cgroup kubepods 0"} {
		row := n.Tasks(TaskOptions{By: by}).Rows[0]
		if got := fmt.Sprint(row.Owner.Name(), " ", row.PID); got != want {
			t.Errorf("%s: got %q, want %q", by, got, want)
		}
	}
}

// A user's threads are those of many owners: a filter leaves out processes.
func TestTasksByUser(t *testing.T) {
	r := tasksReport()
	for i := range r.Processes.List[:4] { // of the others nobody read it
		r.Processes.List[i].UID = new([]int{0, 1000, 1000, 1000}[i])
	}
	r.Processes.Users = []report.User{{UID: 0, Name: "root"}}
	n := Join(r, taskInventory())
	for name, c := range map[string]struct {
		filter Filter
		want   string
	}{
		"all":  {Filter{}, "95 1000 (1000), 60 kernel, 6 unknown, 1 root (0)"},
		"prod": {Filter{Namespace: "prod"}, "95 1000 (1000), 6 unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, row := range n.Tasks(TaskOptions{By: ByUser, Filter: c.filter}).Rows {
				text := fmt.Sprint(row.Tasks, " ", row.Owner.Name())
				if row.UID != nil {
					text += fmt.Sprintf(" (%d)", *row.UID)
				}
				got = append(got, text)
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
		})
	}
	r.Processes.List[0].UID = new(1000) // systemd is not prod's
	for _, row := range Join(r, taskInventory()).Tasks(TaskOptions{By: ByUser, Filter: Filter{Namespace: "prod"}}).Rows {
		if row.UID != nil && row.Tasks != 95 {
			t.Errorf("%d threads of user %d, want 95", row.Tasks, *row.UID)
		}
	}
}

func TestTasksFilter(t *testing.T) {
	r := tasksReport()
	r.Tasks.Blocked = []report.BlockedTask{{PID: 1, TID: 1, StayedMillis: 2000}, {PID: 20, TID: 20, StayedMillis: 2000}}
	n := Join(r, taskInventory())
	got := n.Tasks(TaskOptions{Filter: Filter{Namespace: "prod"}})
	if len(got.Rows) != 1 || got.Filter == nil || got.Filter.Matched != 1 || got.Filter.Of != 3 || got.Filter.Tasks != 101 || len(got.Blocked) != 1 || len(got.Zombies) != 2 {
		t.Errorf("prod: got %+v, %+v", got, got.Filter)
	}
	if got.Threads != 102 || got.KernelThreads != 60 {
		t.Errorf("the sums are the whole node's: %+v", got)
	}
	if none := n.Tasks(TaskOptions{Filter: Filter{Namespace: "nope"}}); len(none.Rows)+len(none.Blocked)+len(none.Zombies) != 0 {
		t.Errorf("nope: got %+v", none)
	}
}

func TestZombies(t *testing.T) {
	got := Join(tasksReport(), taskInventory()).Tasks(TaskOptions{}).Zombies
	if len(got) != 2 || got[0].PID != 20 || got[0].Count != 2 || got[0].Owner.Pod != "hub-0" || got[0].OldestSeconds != 500 || got[0].Commands[0].Name != "curl" {
		t.Errorf("got %+v", got)
	}
	if len(got) == 2 && (got[1].PID != 0 || got[1].Owner.Pod != "hub-0") {
		t.Errorf("of a parent that nobody sees: got %+v", got[1])
	}
}

func TestBlockedRows(t *testing.T) {
	r := tasksReport()
	r.Tasks.Blocked = []report.BlockedTask{
		{PID: 20, TID: 201, Comm: "pool-1", Wchan: "rpc_wait_bit_killable", StayedMillis: 2000},
		{PID: 20, TID: 202, Comm: "pool-2", Wchan: "rpc_wait_bit_killable", StayedMillis: 2000, LoggedSeconds: 122},
		{PID: 20, TID: 203, Comm: "pool-3", Wchan: "io_schedule"},
		{PID: 99, TID: 99, Comm: "ended", StayedMillis: 2000},
		{PID: 50, TID: 50, Comm: "jbd2/vdb-8", Wchan: "jbd2_journal_commit_transaction", StayedMillis: 2000, Kernel: true},
	}
	want := []string{
		"prod/hub-0 20: 2 threads, 2 stayed, 2 s, log 122, the NFS server",
		"kernel 50: 1 threads, 1 stayed, 2 s, log 0, the disk: the filesystem's journal (ext4)",
		"unknown 99: 1 threads, 1 stayed, 2 s, log 0, ",
		"prod/hub-0 20: 1 threads, 0 stayed, 0 s, log 0, the disk",
	}
	var got []string
	for _, b := range Join(r, taskInventory()).Tasks(TaskOptions{}).Blocked {
		got = append(got, fmt.Sprintf("%s %d: %d threads, %d stayed, %.0f s, log %d, %s", b.Owner.Name(), b.PID, b.Threads, b.Stayed, b.StayedSeconds, b.LoggedSeconds, b.WaitsFor))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestWaitsFor(t *testing.T) {
	for wchan, want := range map[string]string{
		"rpc_wait_bit_killable": WaitsNFS, "nfs_wait_bit_killable": WaitsNFS, "request_wait_answer": WaitsFUSE, "fuse_readlink_folio": WaitsFUSE,
		"wait_for_response.isra.0": WaitsSMB, "jbd2_log_wait_commit": "the disk: the filesystem's journal (ext4)", "io_schedule": "the disk",
		"folio_wait_bit_common": "the disk", "kernel_clone": WaitsVfork, "do_fork": WaitsVfork, "__refrigerator": WaitsFreezer,
		"pipe_write": "the other end of a pipe", "": "", "do_nanosleep": "",
	} {
		if got := WaitsFor(wchan); got != want {
			t.Errorf("%q: got %q, want %q", wchan, got, want)
		}
	}
}

// Before Linux 6.11 refused forks are counted where they were tried.
func TestRefusedForks(t *testing.T) {
	n := func(v uint64) *uint64 { return &v }
	limits := []report.TaskLimit{
		{Path: "/kubepods", Max: n(1000), Refused: 0},
		{Path: "/kubepods/podA", Max: n(10)},
		{Path: "/kubepods/podA/x", Refused: 4},
		{Path: "/kubepods/podA/y/z", Refused: 3},
		{Path: "/kubepods/podB", Max: n(10), Refused: 6},
		{Path: "/kubepods/podB/x", Refused: 6}, // later kernels count in both
		{Path: "/kubepods/podC/x", Refused: 2},
	}
	if got, want := refusedBy(limits), []uint64{2, 7, 4, 3, 6, 6, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTaskLimitOwners(t *testing.T) {
	r := tasksReport()
	pod := "/kubepods/burstable/pod" + taskPodUID
	for _, path := range []string{pod, pod + "/" + taskContainer, pod + "/" + taskContainer + "/kubepods/pod" + goneTaskUID, "/system.slice/cron.service", "/system.slice/cron.service/sub", "/kubepods"} {
		r.Tasks.Limits = append(r.Tasks.Limits, report.TaskLimit{Path: path, Current: 1, Max: new(uint64(100))})
	}
	want := []string{"cgroup /kubepods own", "prod/hub-0  own", "prod/hub-0 agent own", "prod/hub-0 agent", "cron.service own", "cron.service"}
	var got []string
	for _, l := range Join(r, taskInventory()).taskLimits() {
		text := l.Owner.Name()
		if l.Owner.Type == OwnerPod {
			text += " " + l.Owner.Container
		}
		if l.Own {
			text += " own"
		}
		got = append(got, text)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestKernelThreadsLeadToPods(t *testing.T) {
	r := tasksReport()
	kubelet := "/var/lib/kubelet/pods/"
	r.Mounts = &report.Mounts{
		Filesystems: []report.Filesystem{{Number: "253:16", Source: "/dev/vdb"}, {Number: "253:0", Source: "/dev/mapper/vg-data"}, {Number: "253:32", Source: "/dev/vdc"}, {Number: "0:40", Source: "/dev/vdz"}},
		List: []report.Mount{
			{FS: 0, Point: "/var/lib/kubelet/plugins/kubernetes.io/csi/pv/pv-b/globalmount"}, {FS: 0, Point: kubelet + taskPodUID + "/volumes/kubernetes.io~csi/pv-b/mount"},
			{FS: 1, Point: "/data"}, {FS: 2, Point: kubelet + goneTaskUID + "/volumes/kubernetes.io~csi/pv-c/mount"}, {FS: 99, Point: "/made-up"},
		},
	}
	r.Devices = &report.Devices{List: []report.Device{{Number: "253:0", Name: "dm-0", DMName: "vg-data"}, {Number: "259:12", Name: "nvme10n1p12", Gone: true}}}
	r.Tasks.KernelThreads = []report.KernelThreadGroup{
		{Pattern: "jbd2/*", Count: 5, Devices: 5, Sample: 9, Names: []report.ThreadDeviceName{{Name: "vdb"}, {Name: "dm-0"}, {Name: "vdc"}, {Name: "vdz"}, {Name: "nvme10n1p1", Cut: true}}},
		{Pattern: "kdmflush/*", Count: 1, Devices: 1, Names: []report.ThreadDeviceName{{Name: "253:0"}}},
		{Pattern: "ksoftirqd/*", Count: 2},
	}
	n := Join(r, taskInventory()).Tasks(TaskOptions{})
	if g := n.Kernel[0]; g.Mounted == nil || *g.Mounted != 3 || g.Leaked == nil || *g.Leaked != 1 || len(g.Owners) != 2 {
		t.Errorf("jbd2: %+v", g)
	}
	if g := n.Kernel[2]; g.Mounted != nil || g.Leaked != nil || g.Devices != 0 {
		t.Errorf("ksoftirqd: %+v", g)
	}
	want := []string{
		"dm-0 (vg-data) 253:0: 2 threads, 1 mounts at /data",
		"vdb () 253:16: 1 threads, 2 mounts at " + kubelet + taskPodUID + "/volumes/kubernetes.io~csi/pv-b/mount, pv-b of prod/hub-0 known, live",
		"vdc () 253:32: 1 threads, 1 mounts at " + kubelet + goneTaskUID + "/volumes/kubernetes.io~csi/pv-c/mount, pv-c of pod " + goneTaskUID + " gone, leaked",
		"nvme10n1p12 () 259:12: 1 threads, 0 mounts at , guessed, gone",
		"vdz () : 1 threads, 0 mounts at ",
	}
	var got []string
	for _, d := range n.Devices {
		text := fmt.Sprintf("%s (%s) %s: %d threads, %d mounts at %s", d.Name, d.DMName, d.Number, d.Threads, *d.Mounts, d.Point)
		if d.Pod != nil {
			text += fmt.Sprintf(", %s of %s %s", d.Volume.Volume, d.Pod.Name(), d.Pod.PodState)
		}
		if d.State != "" {
			text += ", " + string(d.State)
		}
		if d.Guessed {
			text += ", guessed"
		}
		if d.Gone {
			text += ", gone"
		}
		got = append(got, text)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// What a hostile node claims must not crash the client.
func TestTasksOfANodeThatMakesItUp(t *testing.T) {
	huge := uint64(1<<64 - 1)
	r := &report.NodeReport{Tasks: &report.Tasks{Total: &huge, PIDMax: new(uint64(0)), Limits: []report.TaskLimit{{Max: new(uint64(0))}, {Path: "x", Refused: huge}, {Path: "../..", Refused: 1}},
		Blocked: []report.BlockedTask{{PID: -1, StayedMillis: -5}}, KernelThreads: []report.KernelThreadGroup{{Names: []report.ThreadDeviceName{{Name: "", Cut: true}, {Name: ":"}}}}},
		Mounts: &report.Mounts{List: []report.Mount{{FS: -1}}}}
	if got := Join(r, nil).Tasks(TaskOptions{}); got.Usage.Limit != "" || len(got.Blocked) != 1 || got.Blocked[0].Stayed != 0 {
		t.Errorf("got %+v", got)
	}
	r.Processes = &report.Processes{List: []report.Process{{PID: 1, Threads: -3, Cgroup: 7}}}
	if got := Join(r, nil).Tasks(TaskOptions{}); got.Threads != 1 {
		t.Errorf("got %+v", got)
	}
}
