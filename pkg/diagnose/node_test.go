package diagnose

import (
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const podUID = "93e182b4-1f00-4c6e-9d51-0242ac120002"

var containerID = "82414f376d1f" + strings.Repeat("0a1b", 13)

// Indexes of the cgroups that newNode has.
const (
	inSystemd = iota
	inDocker
	inKubelet
	inPod
	inRoot
)

// newNode is a node that has been up for a day, without any process.
func newNode() *report.NodeReport {
	cgroup := func(path string) report.Cgroup {
		return report.Cgroup{Entries: []report.CgroupEntry{{Controllers: "memory", Path: path}}}
	}
	return &report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind,
		Node: report.Node{Hostname: "node-43", Uptime: 86400, ClockTicks: 100, BootTime: 1_700_000_000},
		Processes: &report.Processes{FDIntervalMillis: 3000, Cgroups: []report.Cgroup{
			inSystemd: cgroup("/init.scope"),
			inDocker:  cgroup("/system.slice/docker.service"),
			inKubelet: cgroup("/system.slice/kubelet.service"),
			inPod:     cgroup("/kubepods/burstable/pod" + podUID + "/" + containerID),
			inRoot:    cgroup("/"),
		}},
		Containers: &report.Containers{List: []report.Container{
			{ID: containerID, Runtime: "docker", Name: "agent", PodUID: podUID, PodName: "hub-0", PodNamespace: "prod", Source: "config.v2.json"},
		}},
	}
}

func hubInventory() *inventory.Inventory {
	return &inventory.Inventory{Node: "node-43", Pods: []inventory.Pod{
		{Namespace: "prod", Name: "hub-0", UID: podUID, Workload: "StatefulSet/hub", Containers: []inventory.Container{{Name: "agent", ID: containerID}}},
	}}
}

// process is one that started soon after boot.
func process(pid int, comm string, cgroup, before, count int) report.Process {
	return report.Process{PID: pid, PPID: 1, Comm: comm, State: "S", Cgroup: cgroup, StartTicks: 1000, FDs: &report.FDs{Count: count, Before: &before}}
}

func add(r *report.NodeReport, processes ...report.Process) *report.NodeReport {
	r.Processes.List = append(r.Processes.List, processes...)
	return r
}

// openFiles samples once a second.
func openFiles(limit uint64, counts ...uint64) *report.OpenFiles {
	f := &report.OpenFiles{Max: &limit}
	for i, c := range counts {
		f.Samples = append(f.Samples, report.FileSample{AtMillis: int64(i) * 1000, Allocated: c})
	}
	return f
}

const fifoPattern = "/run/docker/containerd/…-std*"

// execFIFOPairs are the two streams of a number of exec sessions.
func execFIFOPairs(container string, sessions int) []report.ExecFIFOs {
	return []report.ExecFIFOs{{ContainerID: container, Pattern: fifoPattern, Count: 2 * sessions, Sessions: sessions}}
}

func diagnosed(r *report.NodeReport, inv *inventory.Inventory) []Finding {
	return Diagnose(correlate.Join(r, inv), Thresholds{})
}

// said is "id severity" of each finding.
func said(findings []Finding) []string {
	list := []string{}
	for _, f := range findings {
		list = append(list, f.ID+" "+string(f.Severity))
	}
	return list
}
