package diagnose

import (
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func TestHealthyNodesYieldNothing(t *testing.T) {
	idle := func() *report.NodeReport {
		r := newNode()
		r.OpenFiles = openFiles(9_223_372_036_854_775_807, 8000, 8002, 8001)
		return add(r, process(1, "systemd", inSystemd, 120, 120), process(2, "kubelet", inKubelet, 300, 301))
	}
	with := func(change func(*report.NodeReport)) *report.NodeReport {
		r := idle()
		change(r)
		return r
	}
	for name, r := range map[string]*report.NodeReport{
		"idle":             idle(),
		"nothing was read": {},
		"no processes":     with(func(r *report.NodeReport) { r.Processes = nil }),
		"no clock": with(func(r *report.NodeReport) {
			r.Node = report.Node{Hostname: "n"}
		}),
		"unreadable totals": with(func(r *report.NodeReport) {
			r.OpenFiles = &report.OpenFiles{Unreadable: []report.Unreadable{{What: "/proc/sys/fs/file-max", Cause: "permission denied"}}}
		}),
		"a limit of 0":            with(func(r *report.NodeReport) { r.OpenFiles = openFiles(0, 10, 20, 30) }),
		"many steady descriptors": with(func(r *report.NodeReport) { add(r, process(9, "dockerd", inDocker, 2772, 2774)) }),
		"one more, counted in an inch": with(func(r *report.NodeReport) {
			r.Processes.FDIntervalMillis = 100
			add(r, process(9, "dockerd", inDocker, 2000, 2001))
		}),
		"shrinks": with(func(r *report.NodeReport) {
			r.OpenFiles = openFiles(100_000, 79_000, 78_000, 77_000)
			add(r, process(9, "java", inPod, 9000, 8000))
		}),
		"a wave that passes": with(func(r *report.NodeReport) {
			r.OpenFiles = openFiles(100_000, 60_000, 75_000, 74_000, 79_000)
		}),
		"starts up": with(func(r *report.NodeReport) {
			young := process(9, "java", inPod, 500, 5000)
			young.StartTicks = (86400 - 59) * 100
			add(r, young)
		}),
		"growth not measured": with(func(r *report.NodeReport) {
			p := process(9, "java", inPod, 0, 5000)
			p.FDs.Before = nil
			add(r, p)
		}),
		"what a busy node has of everything": with(func(r *report.NodeReport) {
			r.OpenFiles.Inotify = report.InotifyLimits{MaxInstances: new(uint64(128)), MaxWatches: new(uint64(65_536))}
			p := watching(9, 0, inKubelet, 60, 9000)
			p.FDs.Count, p.FDs.Before, p.FDs.Limit = 700, new(700), &report.FDLimit{Soft: new(uint64(1024)), Hard: new(uint64(524_288))}
			p.FDs.Kinds = []report.Counted{{Name: "deleted file", Count: 60}}
			p.FDs.Sockets = []report.SocketGroup{{Protocol: "TCP", State: "CLOSE_WAIT", Remote: "10.0.0.1:443", Count: 20},
				{Protocol: "TCP", State: "TIME_WAIT", Count: 9000},
				{Protocol: "unix", State: "CONNECTED", Local: "/run/docker.sock", Peer: &report.SocketPeer{PID: 2, Comm: "kubelet"}, Count: 60}}
			add(r, p)
		}),
		"the container's own stdio": with(func(r *report.NodeReport) {
			p := process(9, "containerd", inDocker, 400, 400)
			p.FDs.Targets = []report.Target{{Kind: "FIFO", Pattern: "/run/containerd/…-stdout", Count: 300}}
			add(r, p)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			if findings := diagnosed(r, hubInventory()); len(findings) > 0 {
				t.Errorf("got %+v", findings)
			}
		})
	}
}

// An empty list is [] in JSON, not null.
func TestNoFindingsAreAList(t *testing.T) {
	if diagnosed(newNode(), nil) == nil {
		t.Error("got nil")
	}
}
