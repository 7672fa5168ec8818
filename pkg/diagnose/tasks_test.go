package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// podCgroup is that of inPod's pod.
const podCgroup = "/kubepods/burstable/pod" + podUID

// threads is a process with so many.
func threads(pid int, comm string, cgroup, count int) report.Process {
	return report.Process{PID: pid, PPID: 1, Comm: comm, State: "S", Cgroup: cgroup, StartTicks: 1000, Threads: count}
}

func tasksNode(total uint64, change func(*report.NodeReport)) *report.NodeReport {
	r := add(newNode(), threads(1, "systemd", inSystemd, 1), threads(9, "java", inPod, 40))
	r.Tasks = &report.Tasks{PIDMax: new(uint64(32_768)), ThreadsMax: new(uint64(192_730)), Total: &total, LookedMillis: 2000}
	if change != nil {
		change(r)
	}
	return r
}

func taskLimit(path string, current, limit, refused uint64) report.TaskLimit {
	return report.TaskLimit{Path: path, Current: current, Max: &limit, Refused: refused}
}

// blocked are threads of process 9 that stayed for so long.
func blocked(wchan string, count int, stayed int64) func(*report.NodeReport) {
	return func(r *report.NodeReport) {
		for i := range count {
			r.Tasks.Blocked = append(r.Tasks.Blocked, report.BlockedTask{PID: 9, TID: 9 + i, Comm: "java", Wchan: wchan, StayedMillis: stayed})
		}
	}
}

// blockedThread is the kernel's thread of the first of devices.
func blockedThread(stayed, logged int64) func(*report.NodeReport) {
	return func(r *report.NodeReport) {
		r.Tasks.Blocked = append(r.Tasks.Blocked, report.BlockedTask{PID: 50, TID: 50, Comm: "jbd2/vd0-8", Wchan: "jbd2_journal_commit_transaction", StayedMillis: stayed, LoggedSeconds: logged, Kernel: true})
	}
}

// theDisk is the device of the first of devices.
func theDisk(size uint64, state string) func(*report.NodeReport) {
	return func(r *report.NodeReport) {
		r.Devices = &report.Devices{List: []report.Device{{Number: "253:0", Name: "vd0", SizeBytes: &size, State: state}}}
	}
}

func limits(all ...report.TaskLimit) func(*report.NodeReport) {
	return func(r *report.NodeReport) { r.Tasks.Limits = all }
}

func zombies(count, parent int) func(*report.NodeReport) {
	return func(r *report.NodeReport) {
		for i := range count {
			add(r, report.Process{PID: 1000 + i, PPID: parent, Comm: "sh", State: "Z", Cgroup: inPod, StartTicks: 2000, Threads: 1})
		}
	}
}

// devices are mounted where point says, or nowhere, each with two threads.
func devices(count int, point string) func(*report.NodeReport) {
	return func(r *report.NodeReport) {
		if r.Mounts == nil {
			r.Mounts = &report.Mounts{}
		}
		first := len(r.Mounts.Filesystems)
		group := func(pattern string) report.KernelThreadGroup {
			g := report.KernelThreadGroup{Pattern: pattern, Count: count, Devices: count}
			for i := range count {
				g.Names = append(g.Names, report.ThreadDeviceName{Name: fmt.Sprint("vd", first+i)})
			}
			return g
		}
		r.Tasks.KernelThreads = append(r.Tasks.KernelThreads, group("jbd2/*"), group("jbd2-ckpt/*"))
		for i := range count {
			r.Mounts.Filesystems = append(r.Mounts.Filesystems, report.Filesystem{Number: fmt.Sprint("253:", first+i), Type: "ext4", Source: fmt.Sprint("/dev/vd", first+i)})
			if point != "" {
				r.Mounts.List = append(r.Mounts.List, report.Mount{FS: len(r.Mounts.Filesystems) - 1, Point: fmt.Sprintf(point, i)})
			}
		}
	}
}

const (
	podVolume  = "/var/lib/kubelet/pods/" + podUID + "/volumes/kubernetes.io~csi/pv-%d/mount"
	goneVolume = "/var/lib/kubelet/pods/11111111-1f00-4c6e-9d51-0242ac120002/volumes/kubernetes.io~csi/pv-%d/mount"
)

func TestTaskFindings(t *testing.T) {
	both := func(fs ...func(*report.NodeReport)) func(*report.NodeReport) {
		return func(r *report.NodeReport) {
			for _, f := range fs {
				f(r)
			}
		}
	}
	for name, c := range map[string]struct {
		total  uint64
		change func(*report.NodeReport)
		want   string
	}{
		"healthy":                          {400, nil, ""},
		"79 % of pid_max":                  {26_000, nil, ""},
		"80 % of pid_max":                  {26_215, nil, "tasks-node-limit warning"},
		"95 % of pid_max":                  {31_130, nil, "tasks-node-limit critical"},
		"threads-max is lower":             {900, func(r *report.NodeReport) { r.Tasks.ThreadsMax = new(uint64(1000)) }, "tasks-node-limit warning"},
		"total unreadable":                 {0, func(r *report.NodeReport) { r.Tasks.Total = nil }, ""},
		"limits unreadable":                {90_000, func(r *report.NodeReport) { r.Tasks.PIDMax, r.Tasks.ThreadsMax = nil, nil }, ""},
		"a pod at 79 %":                    {400, limits(taskLimit(podCgroup, 79, 100, 0)), ""},
		"a pod at 80 %":                    {400, limits(taskLimit(podCgroup, 80, 100, 0)), "tasks-pod-limit warning"},
		"a pod at its limit":               {400, limits(taskLimit(podCgroup, 100, 100, 9)), "tasks-pod-limit warning"},
		"pod and container":                {400, limits(taskLimit(podCgroup, 100, 100, 9), taskLimit(podCgroup+"/"+containerID, 99, 100, 9)), "tasks-pod-limit warning"},
		"a sandbox that starts nothing":    {400, limits(taskLimit(podCgroup, 1, 1, 0)), ""},
		"one that tries":                   {400, limits(taskLimit(podCgroup, 1, 1, 3)), "tasks-pod-limit warning"},
		"refused long ago":                 {400, limits(taskLimit(podCgroup, 10, 100, 3)), ""},
		"the kubelet at 95 %":              {400, limits(taskLimit("/system.slice/kubelet.service", 95, 100, 0)), "tasks-pod-limit critical"},
		"another unit at 95 %":             {400, limits(taskLimit("/system.slice/cron.service", 95, 100, 0)), "tasks-pod-limit warning"},
		"all pods at 95 %":                 {400, limits(taskLimit("/kubepods", 950, 1000, 0)), "tasks-pod-limit critical"},
		"one thread in D, a disk":          {400, blocked("io_schedule", 1, 2000), ""},
		"four threads in D, a disk":        {400, blocked("io_schedule", 4, 2000), ""},
		"five threads in D, a disk":        {400, blocked("io_schedule", 5, 2000), "tasks-blocked warning"},
		"many in D, and they run":          {400, blocked("io_schedule", 90, 0), ""},
		"one for 10 s":                     {400, blocked("io_schedule", 1, 10_000), "tasks-blocked warning"},
		"one on NFS":                       {400, blocked("rpc_wait_bit_killable", 1, 2000), "tasks-blocked warning"},
		"one on FUSE":                      {400, blocked("request_wait_answer", 1, 2000), "tasks-blocked warning"},
		"one on FUSE that goes on":         {400, blocked("request_wait_answer", 1, 0), ""},
		"50 on NFS":                        {400, blocked("rpc_wait_bit_killable", 50, 2000), "tasks-blocked critical"},
		"one that asks a dead NFS again":   {400, onNFS("nas", 0, 3), "tasks-server warning,tasks-blocked warning<-tasks-server"},
		"one that a live NFS answers":      {400, onNFS("", 0, 3), ""},
		"one that waits for a known NFS":   {400, onNFS("", 2000, 0), "tasks-server warning,tasks-blocked warning<-tasks-server"},
		"who works, and the log is of old": {400, onNFS("nas", 0, 900), ""},
		"the kubelet, too":                 {400, both(onNFS("nas", 2000, 0), kubeletOnNFS), "tasks-server critical,tasks-blocked critical<-tasks-server,tasks-blocked warning<-tasks-server"},
		"vfork":                            {400, blocked("kernel_clone", 9, 2000), ""},
		"vfork for long":                   {400, blocked("kernel_clone", 1, 11_000), "tasks-blocked warning"},
		"a paused container":               {400, blocked("__refrigerator", 40, 20_000), ""},
		"the kernel's own":                 {400, both(blocked("io_schedule", 9, 20_000), func(r *report.NodeReport) { r.Tasks.Blocked[0].Kernel = true; r.Tasks.Blocked = r.Tasks.Blocked[:1] }), ""},
		"a journal for 2 s":                {400, both(devices(1, "/data/%d"), theDisk(9, ""), blockedThread(2000, 0)), ""},
		"a journal for 10 s":               {400, both(devices(1, "/data/%d"), theDisk(9, ""), blockedThread(10_000, 0)), "tasks-blocked warning"},
		"a journal that runs":              {400, both(devices(1, "/data/%d"), theDisk(0, ""), blockedThread(0, 0)), ""},
		"a journal by the log":             {400, blockedThread(2000, 122), "tasks-blocked warning"},
		"a journal without a disk":         {400, both(devices(1, "/data/%d"), theDisk(0, ""), blockedThread(2000, 0)), "tasks-blocked warning"},
		"a journal, the disk offline":      {400, both(devices(1, "/data/%d"), theDisk(9, "offline"), blockedThread(2000, 0)), "tasks-blocked warning"},
		"no device's, for long":            {400, blockedThread(20_000, 0), ""},
		"the log says for long":            {400, both(blocked("io_schedule", 1, 2000), func(r *report.NodeReport) { r.Tasks.Blocked[0].LoggedSeconds = 122 }), "tasks-blocked warning"},
		"99 zombies":                       {400, zombies(99, 9), ""},
		"100 zombies":                      {400, zombies(100, 9), "tasks-zombies warning"},
		"zombies of whom nobody sees":      {400, zombies(100, 0), ""},
		"zombies fill the pod":             {400, both(zombies(100, 9), limits(taskLimit(podCgroup, 100, 100, 9))), "tasks-zombies warning,tasks-pod-limit warning<-tasks-zombies"},
		"zombies fill the node":            {32_000, zombies(100, 9), "tasks-node-limit critical<-tasks-zombies,tasks-zombies warning"},
		"a pod with many volumes":          {400, devices(200, podVolume), ""},
		"the host's many disks":            {400, devices(200, "/data/%d"), ""},
		"49 volumes of a pod that is no":   {400, devices(49, goneVolume), "mounts-leaked warning"},
		"50 volumes of a pod that is no":   {400, devices(50, goneVolume), "mounts-leaked warning,tasks-kernel-threads warning<-mounts-leaked"},
		"as many live ones":                {400, both(devices(50, goneVolume), devices(50, podVolume)), "mounts-leaked warning"},
		"mounted nowhere on the host":      {400, devices(60, ""), "tasks-kernel-threads warning"},
		"mounts unknown":                   {400, both(devices(60, ""), func(r *report.NodeReport) { r.Mounts = nil }), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range diagnosed(tasksNode(c.total, c.change), hubInventory()) {
				text := f.ID + " " + string(f.Severity)
				if len(f.CausedBy) > 0 {
					text += "<-" + strings.Join(f.CausedBy, "+")
				}
				got = append(got, text)
			}
			if text := strings.Join(got, ","); text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
		})
	}
}

func TestBlockedJournalNamesItsVolume(t *testing.T) {
	r := tasksNode(400, func(r *report.NodeReport) {
		for _, f := range []func(*report.NodeReport){devices(2, podVolume), theDisk(0, ""), blockedThread(2000, 245)} {
			f(r)
		}
	})
	for _, f := range diagnosed(r, hubInventory()) {
		if f.ID != TasksBlocked {
			continue
		}
		got := f.Summary + "\n" + strings.Join(f.Evidence, "\n")
		want := `1 kernel thread stays blocked: jbd2/vd0-8 waits for the disk: the filesystem's journal (ext4)
kernel thread 50 (jbd2/vd0-8): in uninterruptible sleep (D) in jbd2_journal_commit_transaction, blocked for at least 2.0 s; the kernel's log says for more than 245 seconds
it works for vd0, which is of size 0: the disk was taken away; volume pv-0 of prod/hub-0 (StatefulSet/hub)`
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		return
	}
	t.Error("no finding")
}

// Without the section no rule speaks, whatever the process table has.
func TestTaskRulesNeedTheSection(t *testing.T) {
	r := tasksNode(32_000, zombies(500, 9))
	r.Tasks = nil
	if got := said(diagnosed(r, hubInventory())); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}

// Whoever asked nobody does not know that a pod is gone.
func TestKernelThreadsOfAnUnaskedPod(t *testing.T) {
	if got := said(diagnosed(tasksNode(400, devices(60, goneVolume)), nil)); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}

func TestTaskFindingsNameTheCulprit(t *testing.T) {
	r := tasksNode(32_000, func(r *report.NodeReport) {
		blocked("rpc_wait_bit_killable", 3, 2000)(r)
		limits(taskLimit(podCgroup, 100, 100, 9))(r)
		zombies(120, 9)(r)
	})
	var all []string
	for _, f := range diagnosed(r, hubInventory()) {
		all = append(append(all, f.Summary), f.Evidence...)
		for _, step := range f.Remedy {
			all = append(all, step.Run)
		}
	}
	for _, want := range []string{
		"the node has 97.7 % of the threads that it may have",
		"32,000 threads exist, kernel.pid_max is 32,768; at the limit every fork fails (EAGAIN)",
		"120 zombies of prod/hub-0, container agent (StatefulSet/hub): process 9 (java) does not reap its children",
		"120 of them were sh",
		"3 threads of prod/hub-0 (StatefulSet/hub) wait for the NFS server, for 2.0 s at least",
		"process 9 (java): 3 threads in uninterruptible sleep (D) in rpc_wait_bit_killable, blocked for at least 2.0 s",
		"prod/hub-0 (StatefulSet/hub) has 100 % of the threads that it may have",
		"9 forks were refused so far (pids.events)",
		"process 9 (java) has 40 of them",
		"kubectl nodedoc whois-pid node-43 9",
		"kubectl -n prod delete pod hub-0",
		"sysctl -w kernel.pid_max=65536",
	} {
		if !slices.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, strings.Join(all, "\n"))
		}
	}
}
