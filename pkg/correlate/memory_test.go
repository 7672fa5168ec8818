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
	mib = uint64(1 << 20)

	memPodUID  = "93e182b4-1f00-4c6e-9d51-0242ac120002"
	memGoneUID = "11111111-1f00-4c6e-9d51-0242ac120002"
)

var memContainer, memOther = fmt.Sprintf("%064x", 7), fmt.Sprintf("%064x", 8)

// memCgroup has so many MiB of anonymous memory, page cache, tmpfs in that, and
// inactive page cache.
func memCgroup(path string, anon, file, shmem, inactive uint64) report.MemoryCgroup {
	return report.MemoryCgroup{Path: path, Usage: new((anon + file) * mib), Anon: new(anon * mib), File: new(file * mib), Shmem: new(shmem * mib), InactiveFile: new(inactive * mib)}
}

// memNode is one of 8 GiB, with its cgroups and those that processes name.
func memNode(version int, cgroups ...report.MemoryCgroup) *report.NodeReport {
	return &report.NodeReport{
		Node:      report.Node{Hostname: "node-43", Uptime: 1000, ClockTicks: 100},
		Processes: &report.Processes{},
		Memory: &report.Memory{CgroupVersion: version, Cgroups: cgroups, Info: report.MemInfo{Total: new(8192 * mib), Free: new(1000 * mib), Available: new(2000 * mib),
			AnonPages: new(4000 * mib), Cached: new(2500 * mib), Buffers: new(uint64(0)), InactiveFile: new(900 * mib), Slab: new(300 * mib), SReclaimable: new(100 * mib),
			SUnreclaim: new(200 * mib), PageTables: new(50 * mib)}},
	}
}

// lives adds a process of so many MiB, with its lines of /proc/PID/cgroup.
func lives(r *report.NodeReport, pid, ppid int, comm string, anon uint64, lines ...string) *report.Process {
	var entries []report.CgroupEntry
	for _, line := range lines {
		controllers, path, _ := strings.Cut(line, ":")
		entries = append(entries, report.CgroupEntry{Controllers: controllers, Path: path})
	}
	r.Processes.Cgroups = append(r.Processes.Cgroups, report.Cgroup{Entries: entries})
	r.Processes.List = append(r.Processes.List, report.Process{PID: pid, PPID: ppid, Comm: comm, State: "S", RSSBytes: int64((anon + 2) * mib),
		Cgroup: len(r.Processes.Cgroups) - 1, Memory: &report.ProcessMemory{Anon: new(anon * mib), File: new(2 * mib), Shmem: new(uint64(0))}})
	return &r.Processes.List[len(r.Processes.List)-1]
}

func memInventory() *inventory.Inventory {
	return &inventory.Inventory{Node: "node-43", Pods: []inventory.Pod{{Namespace: "prod", Name: "hub-0", UID: memPodUID, Workload: "StatefulSet/hub",
		Containers: []inventory.Container{{Name: "agent", ID: memContainer, MemoryRequest: 512 * mib, MemoryLimit: 1024 * mib}, {Name: "init", ID: "ended", MemoryRequest: 999 * mib},
			{Name: "side", ID: memOther, MemoryRequest: 64 * mib}},
		MemoryVolumes: []inventory.MemoryVolume{{Name: "scratch", Limit: 256 * mib}}}},
		Memory: &inventory.Memory{Summary: &inventory.Summary{Pods: []inventory.SummaryPod{{UID: memPodUID, Volumes: map[string]uint64{"scratch": 80 * mib, "pv": 1}}}}}}
}

// rowTexts are the rows in MiB: working set, of it anonymous, page cache, tmpfs and
// kernel; [P]: by its processes.
func rowTexts(rows []MemoryRow) []string {
	list := []string{}
	for _, r := range rows {
		text := fmt.Sprintf("%s %d: a%d f%d s%d k%d", strings.TrimSpace(r.Owner.Name()+" "+r.Owner.Container), r.WorkingSet/mib, r.Anon/mib, r.File/mib, r.Shmem/mib, r.Kernel/mib)
		if r.FromProcesses {
			text += " [P]"
		}
		list = append(list, text)
	}
	return list
}

func TestMemoryOfOwnersByTheirCgroups(t *testing.T) {
	for name, at := range map[string]struct {
		version                               int
		pods, pod, container, side, unit, sub string
	}{
		"v1, cgroupfs": {1, "/kubepods", "/kubepods/burstable/pod" + memPodUID, "/kubepods/burstable/pod" + memPodUID + "/" + memContainer, "/kubepods/burstable/pod" + memPodUID + "/" + memOther,
			"/system.slice/mlocate-updatedb.service", ""},
		"v2, systemd": {2, "/kubepods.slice", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + strings.ReplaceAll(memPodUID, "-", "_") + ".slice",
			"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + strings.ReplaceAll(memPodUID, "-", "_") + ".slice/cri-containerd-" + memContainer + ".scope",
			"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + strings.ReplaceAll(memPodUID, "-", "_") + ".slice/cri-containerd-" + memOther + ".scope",
			"/system.slice/mlocate-updatedb.service", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + strings.ReplaceAll(memPodUID, "-", "_") + ".slice/cri-containerd-" + memContainer + ".scope/kubepods/pod" + memGoneUID},
		"v2, cgroupfs, nested cgroup named after a victim": {2, "/kubepods", "/kubepods/pod" + memPodUID, "/kubepods/pod" + memPodUID + "/" + memContainer, "/kubepods/pod" + memPodUID + "/" + memOther,
			"/system.slice/mlocate-updatedb.service", "/kubepods/pod" + memPodUID + "/" + memContainer + "/kubepods.slice/kubepods-pod" + strings.ReplaceAll(memGoneUID, "-", "_") + ".slice"},
	} {
		t.Run(name, func(t *testing.T) {
			// Of the pod's 100 MiB of tmpfs 80 are in no container; 60 MiB are left of
			// pods that are gone, and 300 MiB of page cache belong to nobody.
			container := memCgroup(at.container, 500, 200, 20, 150)
			container.Usage = new(750 * mib) // 50 of them the kernel's
			container.Limit, container.AtLimit = new(1024*mib), new(uint64(7))
			pods := memCgroup(at.pods, 600, 440, 160, 200)
			pods.Usage = new(1090 * mib)
			pod := memCgroup(at.pod, 600, 380, 100, 200)
			pod.Usage, pod.Limit = new(1030*mib), new(4096*mib)
			cgroups := []report.MemoryCgroup{memCgroup("/", 3000, 1000, 200, 500), pods, pod, container, memCgroup(at.side, 100, 100, 0, 50),
				memCgroup("/system.slice", 2400, 260, 0, 100), memCgroup(at.unit, 2400, 260, 0, 100)}
			if at.sub != "" {
				cgroups = append(cgroups, memCgroup(at.sub, 400, 100, 0, 50))
			}
			r := memNode(at.version, cgroups...)
			line := "memory:"
			if at.version == 2 {
				line = ":"
			}
			lives(r, 9, 1, "java", 400, line+at.container)
			lives(r, 10, 1, "updatedb", 2400, line+at.unit)
			if at.sub != "" {
				lives(r, 11, 9, "nested", 100, line+at.sub)
			}
			m := Join(r, memInventory()).Memory(MemoryOptions{})
			want := []string{"mlocate-updatedb.service 2560: a2400 f260 s0 k0", "prod/hub-0 830: a600 f280 s100 k50", "kernel 549: a0 f0 s0 k642",
				"cgroup / 100: a0 f260 s40 k0", "cgroup kubepods 60: a0 f0 s60 k0"}
			if got := rowTexts(m.Rows); !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			hub := m.Rows[1]
			if hub.Request != 576*mib || hub.Limit != 4096*mib || hub.Fullest == nil || hub.Fullest.Container != "agent" || hub.Fullest.AtLimit != 7 || hub.Container != "agent" || hub.Host {
				t.Errorf("limits: %+v, %+v", hub, hub.Fullest)
			}
			if len(hub.Volumes) != 1 || *hub.Volumes[0].Used != 80*mib || hub.Volumes[0].Limit != 256*mib {
				t.Errorf("volumes: %+v", hub.Volumes)
			}
			if unit := m.Rows[0]; !unit.Host || unit.FromProcesses || unit.Heaviest.PID != 10 || unit.RSS != 2402*mib {
				t.Errorf("host: %+v", unit)
			}
			want = []string{"mlocate-updatedb.service 2560: a2400 f260 s0 k0", "prod/hub-0 agent 600: a500 f180 s20 k50", "kernel 549: a0 f0 s0 k642",
				"prod/hub-0 side 150: a100 f100 s0 k0", "cgroup / 100: a0 f260 s40 k0", "prod/hub-0 80: a0 f0 s80 k0", "cgroup kubepods 60: a0 f0 s60 k0"}
			if got := rowTexts(Join(r, memInventory()).Memory(MemoryOptions{By: ByContainer}).Rows); !slices.Equal(got, want) {
				t.Errorf("by container: got  %q\nwant %q", got, want)
			}
		})
	}
}

// The same pages never stand in two rows: whatever it is ranked by, the working
// sets and what is left come to the node's memory.
func TestMemoryIsCountedOnce(t *testing.T) {
	pod := "/kubepods/pod" + memPodUID
	r := memNode(1, memCgroup("/", 4000, 2500, 700, 900), memCgroup("/kubepods", 900, 500, 300, 200), memCgroup(pod, 900, 400, 200, 200), memCgroup(pod+"/"+memContainer, 800, 300, 200, 200),
		memCgroup("/system.slice", 1000, 300, 0, 100), memCgroup("/system.slice/docker.service", 600, 100, 0, 50))
	lives(r, 1, 0, "systemd", 10, "memory:/", "name=systemd:/init.scope")
	lives(r, 20, 1, "crond", 300, "memory:/", "name=systemd:/system.slice/crond.service")
	lives(r, 21, 20, "updatedb", 1700, "memory:/", "name=systemd:/system.slice/crond.service")
	lives(r, 22, 1, "sshd", 90, "memory:/system.slice", "name=systemd:/system.slice/sshd.service")
	lives(r, 23, 1, "dockerd", 600, "memory:/system.slice/docker.service", "name=systemd:/system.slice/docker.service")
	lives(r, 24, 1, "java", 800, "memory:"+pod+"/"+memContainer, "name=systemd:"+pod+"/"+memContainer)
	for _, by := range []By{ByPod, ByContainer, ByWorkload, ByUnit} {
		m := Join(r, memInventory()).Memory(MemoryOptions{By: by})
		sum := int64(m.Accounted)
		for _, rest := range m.Rest {
			sum += rest.Bytes
		}
		if sum != int64(8192*mib) || m.Rest[len(m.Rest)-1].Bytes != 0 {
			t.Errorf("%s: %d MiB in all, %+v", by, sum>>20, m.Rest)
		}
	}
	want := []string{"crond.service 2000: a2000 f0 s0 k0 [P]", "cgroup / 1190: a90 f1300 s400 k0", "prod/hub-0 1100: a900 f200 s200 k0", "docker.service 650: a600 f100 s0 k0", "kernel 592: a0 f0 s0 k692",
		"cgroup /system.slice 460: a310 f200 s0 k0", "cgroup kubepods 100: a0 f0 s100 k0", "sshd.service 90: a90 f0 s0 k0 [P]", "init.scope 10: a10 f0 s0 k0 [P]"}
	if got := rowTexts(Join(r, memInventory()).Memory(MemoryOptions{}).Rows); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Forks share their parent's pages: together they have no more than their cgroup.
func TestForksInTheRootShareWhatItHas(t *testing.T) {
	r := memNode(1, memCgroup("/", 1000, 0, 0, 0))
	for pid := range 10 {
		lives(r, 100+pid, 1, "postgres", 900, "memory:/", "name=systemd:/system.slice/postgresql.service")
	}
	row := Join(r, nil).Memory(MemoryOptions{}).Rows[0]
	if row.Owner.Unit != "postgresql.service" || row.WorkingSet/mib != 999 && row.WorkingSet/mib != 1000 || row.RSS != 9020*mib {
		t.Errorf("got %+v", row)
	}
}

func TestProcessThatLeftItsContainerIsItsPods(t *testing.T) {
	pod := "/kubepods/pod" + memPodUID
	r := memNode(2, memCgroup("/", 2000, 0, 0, 0), memCgroup(pod, 100, 0, 0, 0), memCgroup(pod+"/"+memContainer, 100, 0, 0, 0), memCgroup("/system.slice/ssh.service", 1500, 0, 0, 0))
	lives(r, 30, 1, "java", 100, ":"+pod+"/"+memContainer)
	lives(r, 31, 30, "escaped", 1400, ":/system.slice/ssh.service")
	got := rowTexts(Join(r, memInventory()).Memory(MemoryOptions{}).Rows)
	if got[0] != "prod/hub-0 1500: a1500 f0 s0 k0" || !slices.Contains(got, "ssh.service 100: a100 f0 s0 k0") {
		t.Errorf("got %q", got)
	}
}

func TestKernelWithoutMemoryControllerIsAnsweredFromProcesses(t *testing.T) {
	r := memNode(0)
	lives(r, 30, 1, "java", 3000, "pids:/kubepods/pod"+memPodUID+"/"+memContainer)
	lives(r, 31, 1, "updatedb", 1000, "name=systemd:/system.slice/cron.service")
	m := Join(r, memInventory()).Memory(MemoryOptions{})
	want := []string{"prod/hub-0 3000: a3000 f0 s0 k0 [P]", "cgroup / 1600: a0 f2500 s0 k0", "cron.service 1000: a1000 f0 s0 k0 [P]", "kernel 592: a0 f0 s0 k692"}
	if got := rowTexts(m.Rows); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestMemoryOfPodsThatAreGone(t *testing.T) {
	pod := "/kubepods/pod" + memGoneUID
	r := memNode(1, memCgroup("/", 2000, 0, 0, 0), memCgroup(pod, 300, 0, 0, 0), memCgroup(pod+"/"+memContainer, 300, 0, 0, 0))
	inv := memInventory()
	inv.Pods = nil
	row := Join(r, inv).Memory(MemoryOptions{}).Rows
	if i := slices.IndexFunc(row, func(r MemoryRow) bool { return r.Owner.PodUID == memGoneUID }); i < 0 || row[i].Owner.PodState != PodGone {
		t.Errorf("got %+v", row)
	}
}

func TestMemoryGrowth(t *testing.T) {
	pod := "/kubepods/pod" + memPodUID
	was := func(c report.MemoryCgroup, anon uint64) report.MemoryCgroup {
		c.UsageBefore, c.AnonBefore = new(anon*mib), new(anon*mib)
		return c
	}
	r := memNode(2, was(memCgroup("/", 1300, 500, 0, 0), 1000), was(memCgroup(pod, 700, 400, 0, 0), 500), memCgroup(pod+"/"+memContainer, 300, 0, 0, 0), was(memCgroup("/system.slice/a.service", 500, 0, 0, 0), 500))
	r.Memory.Samples = []report.MemorySample{{Available: new(3000 * mib)}, {AtMillis: 2000, Available: new(2000 * mib)}}
	p := lives(r, 30, 1, "java", 298, ":"+pod+"/"+memContainer)
	p.Memory.RSSBefore = new(100 * mib)
	lives(r, 31, 1, "new", 100, ":"+pod+"/"+memContainer)
	n := Join(r, memInventory())
	m := n.Memory(MemoryOptions{Sort: SortGrowth})
	if m.Seconds != 2 || *m.Kernel.AvailablePerSecond != -float64(500*mib) {
		t.Errorf("node: %v s, %v", m.Seconds, *m.Kernel.AvailablePerSecond)
	}
	// The container is new and has 300 MiB, what its pod had before went: the pod has 200 more.
	if row := m.Rows[0]; row.Owner.Pod != "hub-0" || *row.PerSecond != float64(100*mib) {
		t.Errorf("pod: %+v", row)
	}
	if p := m.Processes[0]; p.PID != 30 || *p.PerSecond != float64(100*mib) || m.Processes[1].PerSecond != nil {
		t.Errorf("processes: %+v", m.Processes)
	}
}

func TestMemoryFilter(t *testing.T) {
	pod := "/kubepods/pod" + memPodUID
	r := memNode(1, memCgroup("/", 2000, 0, 0, 0), memCgroup(pod, 300, 0, 0, 0), memCgroup("/system.slice/a.service", 500, 0, 0, 0))
	lives(r, 30, 1, "java", 298, "memory:"+pod)
	lives(r, 31, 1, "a", 298, "memory:/system.slice/a.service")
	n := Join(r, memInventory())
	m := n.Memory(MemoryOptions{Filter: Filter{Namespace: "prod"}})
	if len(m.Rows) != 1 || m.Filter.Matched != 1 || m.Filter.Bytes != 300*mib || len(m.Processes) != 1 || m.Accounted < 2000*mib {
		t.Errorf("got %+v, %+v", m.Rows, m.Filter)
	}
	if none := n.Memory(MemoryOptions{Filter: Filter{Namespace: "nope"}}); len(none.Rows)+len(none.Processes) != 0 {
		t.Errorf("nope: %+v", none)
	}
}

func TestMemoryByProcessAndUser(t *testing.T) {
	r := memNode(2, memCgroup("/", 2000, 0, 0, 0))
	a := lives(r, 30, 1, "java", 300, ":/a.service")
	a.UID, a.Memory.PSS = new(5), new(310*mib)
	b := lives(r, 31, 1, "java", 200, ":/a.service")
	b.UID = new(5)
	n := Join(r, nil)
	if rows := n.Memory(MemoryOptions{By: ByProcess}).Rows; rows[1].PID != 30 || rows[1].WorkingSet != 310*mib || rows[2].WorkingSet != 200*mib {
		t.Errorf("by process: %+v", rows)
	}
	if rows := n.Memory(MemoryOptions{By: ByUser}).Rows; len(rows) != 2 || rows[1].Owner.User != "5" || rows[1].WorkingSet != 510*mib {
		t.Errorf("by user: %+v", rows)
	}
}
