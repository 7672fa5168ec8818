package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	mib = uint64(1 << 20)
	gib = uint64(1 << 30)

	inUpdatedb = inRoot + 1

	agentCgroup = podCgroup + "/" // and the container's id
)

// memoryNode is one of 32 GiB of which 24 are available.
func memoryNode(changes ...func(*report.NodeReport)) *report.NodeReport {
	r := newNode()
	r.Processes.Cgroups = append(r.Processes.Cgroups, report.Cgroup{Entries: []report.CgroupEntry{{Controllers: "memory", Path: "/system.slice/mlocate-updatedb.service"}}})
	r.Memory = &report.Memory{CgroupVersion: 1, Info: report.MemInfo{Total: new(32 * gib), Free: new(20 * gib), Available: new(24 * gib), AnonPages: new(6 * gib), Cached: new(5 * gib),
		Buffers: new(uint64(0)), InactiveFile: new(4 * gib), SReclaimable: new(500 * mib), SUnreclaim: new(200 * mib), PageTables: new(60 * mib), Shmem: new(10 * mib)},
		Samples: []report.MemorySample{{Available: new(24 * gib)}, {AtMillis: 3000, Available: new(24 * gib)}},
		Cgroups: []report.MemoryCgroup{memCgroup("/", 6*gib, 5*gib)}}
	holding(r, 2, "kubelet", inKubelet, "/system.slice/kubelet.service", 400*mib)
	for _, change := range changes {
		change(r)
	}
	return r
}

// small is a node of so many GiB, three quarters of which are free.
func small(total uint64) func(*report.NodeReport) {
	return func(r *report.NodeReport) {
		i := &r.Memory.Info
		*i.Total, *i.Free, *i.Available, *i.AnonPages, *i.Cached, *i.InactiveFile = total*gib, total*gib/2, total*gib*3/4, total*gib/8, total*gib/4, total*gib/4
		*i.SUnreclaim, *i.SReclaimable, *i.PageTables = 0, total*gib/8, 0
		r.Memory.Cgroups[0] = memCgroup("/", total*gib/8, total*gib/4)
	}
}

func memCgroup(path string, anon, file uint64) report.MemoryCgroup {
	usage := anon + file
	return report.MemoryCgroup{Path: path, Usage: &usage, UsageBefore: &usage, Anon: &anon, AnonBefore: &anon, File: &file, InactiveFile: new(file / 2), Shmem: new(uint64(0))}
}

// holding adds a process, and its cgroup.
func holding(r *report.NodeReport, pid int, comm string, in int, path string, anon uint64) *report.Process {
	if path != "" {
		r.Memory.Cgroups = append(r.Memory.Cgroups, memCgroup(path, anon, 0))
	}
	add(r, report.Process{PID: pid, PPID: 1, Comm: comm, State: "S", Cgroup: in, StartTicks: 1000, RSSBytes: int64(anon), Memory: &report.ProcessMemory{RSSBefore: &anon, Anon: &anon, Shmem: new(uint64(0))}})
	return &r.Processes.List[len(r.Processes.List)-1]
}

func host(comm string, in int, path string, anon uint64) func(*report.NodeReport) {
	return func(r *report.NodeReport) { holding(r, 1337531, comm, in, path, anon) }
}

// pressed leaves so much of the node.
func pressed(available uint64) func(*report.NodeReport) {
	return func(r *report.NodeReport) { r.Memory.Info.Available = &available }
}

// agent is the container of prod/hub-0 with a limit.
func agent(anon, file, limit uint64, change func(*report.MemoryCgroup)) func(*report.NodeReport) {
	return func(r *report.NodeReport) {
		c := memCgroup(agentCgroup+containerID, anon, file)
		c.Limit = &limit
		if change != nil {
			change(&c)
		}
		r.Memory.Cgroups = append(r.Memory.Cgroups, c)
		holding(r, 3663411, "java", inPod, "", anon)
	}
}

// swells makes the process added last have had less before, with steps in between.
func swells(gained uint64, fallsBy uint64, millis int64, steps ...uint64) func(*report.NodeReport) {
	return func(r *report.NodeReport) {
		p := &r.Processes.List[len(r.Processes.List)-1]
		before := uint64(p.RSSBytes) - gained
		p.Memory.RSSBefore, p.Memory.RSSSteps = &before, steps
		for i := range r.Memory.Cgroups {
			if c := &r.Memory.Cgroups[i]; strings.HasSuffix(c.Path, containerID) || strings.HasSuffix(c.Path, "updatedb.service") {
				c.AnonBefore = new(*c.Anon - gained)
			}
		}
		last := *r.Memory.Info.Available
		r.Memory.Samples = []report.MemorySample{{Available: new(last + fallsBy)}, {AtMillis: millis, Available: &last}}
	}
}

const updatedbCgroup = "/system.slice/mlocate-updatedb.service"

func withSetAside(bytes uint64) *inventory.Inventory {
	inv := hubInventory()
	inv.Memory = &inventory.Memory{Capacity: 32 * gib, Allocatable: 32*gib - bytes,
		Config: &inventory.KubeletConfig{SystemReserved: map[string]string{"memory": fmt.Sprint(bytes)}}}
	return inv
}

func TestMemoryFindings(t *testing.T) {
	updatedb := host("updatedb", inUpdatedb, updatedbCgroup, 18*gib)
	for name, c := range map[string]struct {
		r    *report.NodeReport
		inv  *inventory.Inventory
		want []string
	}{
		"healthy":                   {memoryNode(), hubInventory(), nil},
		"no memory was looked at":   {newNode(), hubInventory(), nil},
		"an empty report":           {&report.NodeReport{Memory: &report.Memory{}}, nil, nil},
		"a host process, room left": {memoryNode(updatedb), hubInventory(), []string{"memory-host-process warning"}},
		"a host process, no room":   {memoryNode(updatedb, pressed(400*mib)), hubInventory(), []string{"memory-host-process critical", "memory-threshold-too-low critical"}},
		"a large node with 40 GiB left": {memoryNode(host("postgres", inUpdatedb, updatedbCgroup, 60*gib), func(r *report.NodeReport) {
			*r.Memory.Info.Total, *r.Memory.Info.Free, *r.Memory.Info.AnonPages = 512*gib, 40*gib, 462*gib
		}, pressed(40*gib)), hubInventory(), []string{"memory-host-process warning"}},
		"it fits into what is set aside":  {memoryNode(host("postgres", inUpdatedb, updatedbCgroup, 6*gib)), withSetAside(8 * gib), nil},
		"it fits, and pods have the rest": {memoryNode(host("postgres", inUpdatedb, updatedbCgroup, 6*gib), pressed(gib)), withSetAside(8 * gib), nil},
		"it does not":                     {memoryNode(host("postgres", inUpdatedb, updatedbCgroup, 9*gib)), withSetAside(8 * gib), []string{"memory-host-process warning"}},
		"a backup that fills the page cache": {memoryNode(host("rsync", inUpdatedb, "", 300*mib), func(r *report.NodeReport) {
			c := memCgroup(updatedbCgroup, 300*mib, 9*gib)
			c.InactiveFile = new(uint64(0))
			r.Memory.Cgroups = append(r.Memory.Cgroups, c)
		}), hubInventory(), nil},
		"a control plane of units": {memoryNode(small(4), func(r *report.NodeReport) {
			r.Processes.Cgroups[inUpdatedb].Entries[0].Path = "/system.slice/etcd.service"
		}, host("etcd", inUpdatedb, "/system.slice/etcd.service", 500*mib)), hubInventory(), nil},
		"a kubelet at its usual size":         {memoryNode(small(4), host("kubelet", inKubelet, "", 700*mib)), hubInventory(), nil},
		"a runtime that leaks":                {memoryNode(host("dockerd", inDocker, "/system.slice/docker.service", 8*gib)), hubInventory(), []string{"memory-host-process warning"}},
		"a small one on a small node":         {memoryNode(small(1), host("apt", inUpdatedb, updatedbCgroup, 150*mib)), hubInventory(), nil},
		"a container at its limit":            {memoryNode(agent(980*mib, 20*mib, gib, nil)), hubInventory(), []string{"memory-container-limit warning"}},
		"a JVM whose heap is made to fit":     {memoryNode(agent(940*mib, 20*mib, gib, func(c *report.MemoryCgroup) { c.AtLimit, c.Pressure = new(uint64(0)), &report.Pressure{} })), hubInventory(), nil},
		"one that hits its limit":             {memoryNode(agent(940*mib, 20*mib, gib, func(c *report.MemoryCgroup) { c.AtLimit = new(uint64(7)) })), hubInventory(), []string{"memory-container-limit warning"}},
		"one in which tasks wait":             {memoryNode(agent(940*mib, 20*mib, gib, func(c *report.MemoryCgroup) { c.Pressure = &report.Pressure{Some: report.PressureLine{Avg300: 4}} })), hubInventory(), []string{"memory-container-limit warning"}},
		"one that grows, but not for long":    {memoryNode(agent(940*mib, 20*mib, gib, nil), swells(mib/2, mib/2, 3000)), hubInventory(), []string{"memory-container-limit warning"}},
		"one that hardly grows":               {memoryNode(agent(940*mib, 20*mib, gib, nil), swells(64<<10, 64<<10, 3000)), hubInventory(), nil},
		"a container full of page cache":      {memoryNode(agent(300*mib, 724*mib, gib, nil)), hubInventory(), nil},
		"a container with active cache":       {memoryNode(agent(600*mib, 424*mib, gib, func(c *report.MemoryCgroup) { c.InactiveFile = new(uint64(0)) })), hubInventory(), nil},
		"one that waits, killer disabled":     {memoryNode(agent(500*mib, 0, gib, func(c *report.MemoryCgroup) { c.UnderOOM = true })), hubInventory(), []string{"memory-container-limit warning"}},
		"a burst":                             {memoryNode(agent(500*mib, 0, 2*gib, nil), swells(40*mib, 40*mib, 3000)), hubInventory(), nil},
		"near its limit, and on":              {memoryNode(agent(1600*mib, 0, 2*gib, nil), swells(40*mib, 40*mib, 3000)), hubInventory(), []string{"memory-growth warning"}},
		"a long look, steadily":               {memoryNode(agent(500*mib, 0, 2*gib, nil), swells(40*mib, 40*mib, 60_000, 460*mib, 470*mib, 500*mib)), hubInventory(), []string{"memory-growth warning"}},
		"a long look, to and fro":             {memoryNode(agent(500*mib, 0, 2*gib, nil), swells(40*mib, 40*mib, 60_000, 460*mib, 600*mib, 500*mib)), hubInventory(), nil},
		"too slow to matter today":            {memoryNode(agent(500*mib, 0, 20*gib, nil), swells(17*mib, 17*mib, 60_000)), hubInventory(), nil},
		"mapped files that come in":           {memoryNode(agent(1600*mib, 0, 2*gib, nil), swells(40*mib, 40*mib, 3000), func(r *report.NodeReport) { last(r).Memory.Anon = new(100 * mib) }), hubInventory(), nil},
		"while the node has more":             {memoryNode(updatedb, pressed(6*gib), func(r *report.NodeReport) { *r.Memory.Info.Available = 6 * gib }, swells(500*mib, 0, 3000)), hubInventory(), []string{"memory-host-process warning"}},
		"a host process eats the node":        {memoryNode(updatedb, pressed(2*gib), swells(500*mib, 500*mib, 3000)), hubInventory(), []string{"memory-growth critical", "memory-host-process critical"}},
		"tmpfs of a pod":                      {memoryNode(inTmpfs(podCgroup, 5*gib, 0)), hubInventory(), []string{"memory-tmpfs warning"}},
		"a database's shared memory":          {memoryNode(inTmpfs(podCgroup, 5*gib, 5*gib)), hubInventory(), nil},
		"a database of many processes":        {memoryNode(inTmpfs(podCgroup, 6*gib, gib), forks(5, gib)), hubInventory(), nil},
		"tmpfs beside many small processes":   {memoryNode(inTmpfs(podCgroup, 5*gib, 0), forks(200, 30*mib)), hubInventory(), []string{"memory-tmpfs warning"}},
		"tmpfs of pods that are gone":         {memoryNode(inTmpfs("/kubepods", 5*gib, 0)), hubInventory(), []string{"memory-tmpfs warning"}},
		"slab":                                {memoryNode(func(r *report.NodeReport) { *r.Memory.Info.SUnreclaim = 6 * gib }), hubInventory(), []string{"memory-kernel warning"}},
		"slab that can be freed":              {memoryNode(func(r *report.NodeReport) { *r.Memory.Info.SReclaimable = 6 * gib }), hubInventory(), nil},
		"page tables":                         {memoryNode(func(r *report.NodeReport) { *r.Memory.Info.PageTables = 2 * gib }), hubInventory(), []string{"memory-kernel warning"}},
		"what nothing names":                  {memoryNode(func(r *report.NodeReport) { *r.Memory.Info.Free = 12 * gib }), hubInventory(), []string{"memory-kernel warning"}},
		"huge pages that somebody has set up": {memoryNode(func(r *report.NodeReport) { *r.Memory.Info.Free, r.Memory.Info.Hugetlb = 12*gib, new(8*gib) }), hubInventory(), nil},
		"memory of processes that are not seen": {memoryNode(func(r *report.NodeReport) {
			r.Memory.Cgroups = append(r.Memory.Cgroups, memCgroup("/machine/x", 9*gib, 0))
		}), hubInventory(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := said(diagnosed(c.r, c.inv)); !slices.Equal(got, c.want) && len(got)+len(c.want) > 0 {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func last(r *report.NodeReport) *report.Process { return &r.Processes.List[len(r.Processes.List)-1] }

// inTmpfs charges files in memory to a cgroup, of which a process maps some.
func inTmpfs(path string, files, mapped uint64) func(*report.NodeReport) {
	return func(r *report.NodeReport) {
		c := memCgroup(path, 0, files)
		c.Shmem, c.InactiveFile = &files, new(uint64(0))
		r.Memory.Cgroups = append(r.Memory.Cgroups, c)
		holding(r, 3663411, "postgres", inPod, "", 100*mib).Memory.Shmem = &mapped
	}
}

// forks are processes of a pod that map shared memory.
func forks(many int, shmem uint64) func(*report.NodeReport) {
	return func(r *report.NodeReport) {
		for i := range many {
			holding(r, 4_000_000+i, "postgres", inPod, "", 10*mib).Memory.Shmem = &shmem
		}
	}
}

func TestHostProcessSaysWhoStartsItAndWhatToDo(t *testing.T) {
	r := memoryNode(func(r *report.NodeReport) {
		p := holding(r, 1337531, "updatedb", inUpdatedb, updatedbCgroup, 18*gib)
		p.Memory.Cwd = "/var/lib/kubelet/pods/" + podUID + "/volumes/kubernetes.io~csi/pv-1/mount"
	})
	r.Node.Now = 1_700_086_400
	r.Kubelet = &report.Kubelet{RootDir: "/data/kubelet"}
	r.Background = &report.Background{
		Units:  []report.Unit{{Name: "mlocate-updatedb.service"}},
		Timers: []report.Timer{{Unit: report.Unit{Name: "mlocate-updatedb.timer", Files: []report.UnitFile{{Path: "/a.timer", Settings: []report.Setting{{Section: "Timer", Key: "OnCalendar", Value: "daily"}}}}}, Starts: "mlocate-updatedb.service"}},
		Cron:   []report.Cron{{PID: 1337531, DaemonComm: "crond", Entries: []report.CronEntry{{File: "/etc/crontab", Line: 7, Schedule: "0 3 * * *", By: report.CronByCommand}}}}}
	f := diagnosed(r, withSetAside(gib))[0]
	text := f.Summary + "\n" + strings.Join(f.Evidence, "\n")
	for _, s := range f.Remedy {
		text += "\n" + s.Do + ": " + s.Run
	}
	for _, want := range []string{"18 GiB of memory, 56 %", "updatedb", "not in kubepods", "1 GiB are set aside", "of pod prod/hub-0", "the memory is not the pod's", "mlocate-updatedb.timer starts it (OnCalendar=daily)", ", next 2023-11-1",
		"/etc/crontab line 7: 0 3 * * *", "/data/kubelet", "PRUNEPATHS", "systemctl stop mlocate-updatedb.service", "systemctl set-property mlocate-updatedb.service MemoryLimit=1638M", "kubectl nodedoc whois-pid node-43 1337531"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// A unit's name is the node's to choose, and must not become a piece of a command;
// to stop the cron daemon would end all of its jobs.
func TestHostRemediesAreSafe(t *testing.T) {
	for unit, want := range map[string]string{"x;reboot.service": "", "crond.service": "kill 1337531", "a.service": "systemctl stop a.service", "session-3.scope": ""} {
		r := memoryNode()
		r.Processes.Cgroups[inUpdatedb].Entries[0].Path = "/system.slice/" + unit
		host("updatedb", inUpdatedb, "/system.slice/"+unit, 18*gib)(r)
		findings := diagnosed(r, hubInventory())
		if len(findings) != 1 {
			t.Fatalf("%s: %+v", unit, findings)
		}
		commands := ""
		for _, s := range findings[0].Remedy {
			commands += s.Run + "\n"
		}
		if !strings.Contains(commands, want) || strings.Contains(commands, "reboot") || want == "" && (strings.Contains(commands, "stop") || strings.Contains(commands, "kill")) {
			t.Errorf("%s: got %q", unit, commands)
		}
	}
}

// What a service needs is not for us to say: a bound below what it has kills it.
func TestServiceIsNotBoundBelowWhatItHas(t *testing.T) {
	for version, want := range map[int]string{1: "MemoryLimit=SIZE", 2: "MemoryMax=SIZE"} {
		r := memoryNode(host("postgres", inUpdatedb, "/system.slice/postgresql.service", 9*gib))
		r.Processes.Cgroups[inUpdatedb].Entries[0].Path = "/system.slice/postgresql.service"
		r.Memory.CgroupVersion = version
		f := diagnosed(r, hubInventory())[0]
		if got := f.Remedy[len(f.Remedy)-1].Run; got != "systemctl set-property postgresql.service "+want {
			t.Errorf("v%d: got %q", version, got)
		}
	}
}

func TestLimitSaysHowOftenItWasHit(t *testing.T) {
	r := memoryNode(agent(1000*mib, 0, gib, func(c *report.MemoryCgroup) {
		c.AtLimit, c.OOMKills, c.Shmem = new(uint64(1234)), new(uint64(3)), new(200*mib)
	}))
	f := diagnosed(r, hubInventory())[0]
	text := f.Summary + strings.Join(f.Evidence, "\n")
	for _, want := range []string{"prod/hub-0, container agent (StatefulSet/hub) has 98 %", "hit 1,234 times", "3 processes were killed", "java", "tmpfs"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if f.Subject == nil || f.Subject.Container != "agent" {
		t.Errorf("subject %+v", f.Subject)
	}
}

func TestMemoryGrowthOverAWatch(t *testing.T) {
	w := correlate.NewWindow()
	var n *correlate.Node
	for i := range 12 {
		anon := (500 + 8*uint64(i)) * mib
		r := memoryNode(agent(anon, 0, 2*gib, nil), swells(6*mib, 6*mib, 3000))
		r.Node.Uptime += 4 * float64(i)
		n = correlate.Join(w.Add(r), hubInventory())
	}
	if got := said(Diagnose(n, Thresholds{})); !slices.Equal(got, []string{"memory-growth warning"}) {
		t.Errorf("got %q", got)
	}
}
