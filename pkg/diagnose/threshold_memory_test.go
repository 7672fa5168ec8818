package diagnose

import (
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// These are the nodes of TestEveryThreshold about memory.

func memoryEffects() map[string]effect {
	young := func(r *report.NodeReport) { last(r).StartTicks = (86400 - 200) * 100 }
	large := func(r *report.NodeReport) {
		*r.Memory.Info.Total, *r.Memory.Info.Free, *r.Memory.Info.AnonPages = 512*gib, 40*gib, 462*gib
	}
	updatedb := func(bytes uint64) func(*report.NodeReport) {
		return host("updatedb", inUpdatedb, updatedbCgroup, bytes)
	}
	info := func(change func(*report.MemInfo)) func(*report.NodeReport) {
		return func(r *report.NodeReport) { change(&r.Memory.Info) }
	}
	inPodWith := func(anon, limit, gained uint64, millis int64) *report.NodeReport {
		return memoryNode(agent(anon, 0, limit, nil), swells(gained, gained, millis))
	}
	return map[string]effect{
		"memory-growth.size":      {"100MiB", inPodWith(200*mib, 250*mib, 20*mib, 3000), nil, "", isWarning},
		"memory-growth.gained":    {"5MiB", inPodWith(1600*mib, 2*gib, 10*mib, 3000), nil, "", isWarning},
		"memory-growth.warm-up":   {"100s", of(inPodWith(1600*mib, 2*gib, 40*mib, 3000), young), nil, "", isWarning},
		"memory-growth.soon":      {"1d", inPodWith(500*mib, 20*gib, 17*mib, 60_000), nil, "", isWarning},
		"memory-growth.very-soon": {"5m", inPodWith(1600*mib, 2*gib, 17*mib, 20_000), nil, isWarning, ""},
		"memory-growth.used":      {"60%", inPodWith(1400*mib, 2*gib, 40*mib, 3000), nil, "", isWarning},

		"memory-host-process.share":                   {"5%", memoryNode(updatedb(2 * gib)), nil, "", isWarning},
		"memory-host-process.size":                    {"100MiB", memoryNode(small(1), host("apt", inUpdatedb, updatedbCgroup, 150*mib)), nil, "", isWarning},
		"memory-host-process.daemon-size":             {"512MiB", memoryNode(small(4), host("dockerd", inDocker, "/system.slice/docker.service", 700*mib)), nil, "", isWarning},
		"memory-host-process.critical-available":      {"20%", memoryNode(updatedb(18*gib), pressed(4*gib)), nil, isWarning, isCritical},
		"memory-host-process.critical-available-size": {"64GiB", memoryNode(updatedb(60*gib), large, pressed(40*gib)), nil, isWarning, isCritical},

		"memory-tmpfs.share":         {"5%", memoryNode(inTmpfs(podCgroup, 2*gib, 0)), nil, "", isWarning},
		"memory-tmpfs.size":          {"100MiB", memoryNode(small(1), inTmpfs(podCgroup, 150*mib, 0)), nil, "", isWarning},
		"memory-kernel.share":        {"5%", memoryNode(info(func(i *report.MemInfo) { *i.SUnreclaim = 2 * gib })), nil, "", isWarning},
		"memory-kernel.tables-share": {"3%", memoryNode(info(func(i *report.MemInfo) { *i.PageTables = 1200 * mib })), nil, "", isWarning},
		"memory-kernel.size":         {"512MiB", memoryNode(small(4), info(func(i *report.MemInfo) { *i.SUnreclaim = 700 * mib })), nil, "", isWarning},
	}
}

func limitEffects() map[string]effect {
	hit := func(c *report.MemoryCgroup) { c.AtLimit = new(uint64(9)) }
	active := func(c *report.MemoryCgroup) { hit(c); c.InactiveFile = new(uint64(0)) }
	pressure := func(c *report.MemoryCgroup) {
		c.Pressure = &report.Pressure{Some: report.PressureLine{Avg60: 0.5}}
	}
	near := func(gained uint64, millis int64) *report.NodeReport {
		return memoryNode(agent(940*mib, 0, gib, nil), swells(gained, gained, millis), func(r *report.NodeReport) {
			c := &r.Memory.Cgroups[len(r.Memory.Cgroups)-1]
			c.UsageBefore = new(*c.Usage - gained)
		})
	}
	return map[string]effect{
		"memory-container-limit.held":        {"80%", memoryNode(agent(880*mib, 0, gib, hit)), nil, "", isWarning},
		"memory-container-limit.working-set": {"85%", memoryNode(agent(800*mib, 120*mib, gib, active)), nil, "", isWarning},
		"memory-container-limit.mostly-held": {"60%", memoryNode(agent(700*mib, 310*mib, gib, active)), nil, "", isWarning},
		"memory-container-limit.full":        {"91%", memoryNode(agent(940*mib, 0, gib, nil)), nil, "", isWarning},
		"memory-container-limit.pressure":    {"0.1%", memoryNode(agent(940*mib, 0, gib, pressure)), nil, "", isWarning},
		"memory-container-limit.soon":        {"12h", near(180<<10, 60_000), nil, "", isWarning},
		"memory-container-limit.very-soon":   {"30m", near(280<<10, 3000), nil, "", isWarning},
	}
}

func evictionEffects() map[string]effect {
	const hub = podCgroup + "/"
	promised := func() *inventory.Inventory {
		inv := aboutNode(func(*inventory.Memory) {})
		inv.Pods = []inventory.Pod{{UID: "a", Phase: "Running", MemoryRequest: 62 * gi}}
		return inv
	}
	killed := func(r *report.NodeReport) {
		r.OOM = &report.OOM{Kills: []report.OOMKill{{At: new(80_000.0), Constraint: report.OOMNode}}}
	}
	left := func(available uint64) func(*report.NodeReport) {
		return func(r *report.NodeReport) { r.Memory.Info.Available = &available }
	}
	falls := func(step uint64) func(*report.NodeReport) {
		return func(r *report.NodeReport) {
			for i := range uint64(5) {
				r.Memory.Samples = append(r.Memory.Samples, report.MemorySample{AtMillis: int64(i) * 1000, Available: new(30*gi - i*step)})
			}
		}
	}
	// The kubelet has 22.6 GiB available here: 4.6 GiB above this threshold.
	near := func(r *report.NodeReport) { r.Kubelet.Flags["eviction-hard"] = "memory.available<18Gi" }
	kill := func(after float64) report.OOMKill {
		return oomKilled(2*day-after, "java", hub+containerID, hub+containerID)
	}
	return map[string]effect{
		"memory-threshold-too-low.critical":      {"1%", of(nightly(), left(800*mi)), nil, isCritical, ""},
		"memory-threshold-too-low.critical-size": {"100MiB", nightly(), nil, isCritical, ""},
		"memory-threshold-too-low.little":        {"10%", of(byDay(), left(10*gi), falls(200*mi)), nil, isWarning, ""},
		"memory-threshold-too-low.soon":          {"30s", of(byDay(), left(10*gi), falls(200*mi)), nil, isWarning, ""},
		"memory-threshold-too-low.kills":         {"1h", of(byDay(), killed), nil, isWarning, ""},
		"memory-reserved-too-small.little":       {"10%", of(byDay(), left(10*gi)), promised(), isWarning, ""},
		"memory-reserved-too-small.kills":        {"1h", of(byDay(), killed), promised(), isWarning, ""},
		"memory-pressure.soon":                   {"30s", of(byDay(), near, falls(100*mi)), nil, isCritical, ""},
		"memory-pressure.little":                 {"5%", of(byDay(), near, falls(100*mi)), nil, isCritical, ""},
		"memory-oom-kills.news":                  {"30s", oomReport(oomKilled(60, "java", hub+containerID, hub+containerID)), oomHub(), isWarning, ""},
		"memory-oom-kills.repeated":              {"2", oomReport(kill(0), kill(60)), oomHub(), "", isWarning},
		"memory-oom-kills.repeated-news":         {"1d", oomReport(kill(0), kill(60), kill(120)), oomHub(), isWarning, ""},
	}
}
