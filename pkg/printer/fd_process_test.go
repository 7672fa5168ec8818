package printer

import (
	"bytes"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func processText(a correlate.ProcessFDs, findings []diagnose.Finding, change func(*Style)) show {
	return func(t *testing.T, s Style) string {
		t.Helper()
		if change != nil {
			change(&s)
		}
		var b bytes.Buffer
		if err := FDProcess(&b, a, findings, s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
}

func javaFDs() correlate.ProcessFDs {
	owner := podOwner("hub-0", "StatefulSet/hub", correlate.PodKnown)
	owner.Container, owner.ContainerID = "agent", containerID
	started := time.Date(2026, 11, 20, 1, 2, 3, 0, time.UTC)
	api := podOwner("api-0", "Deployment/api", correlate.PodKnown)
	return correlate.ProcessFDs{Node: "node-43", Seconds: 3, Descriptors: of(4201), PerSecond: of(3.0),
		Process: correlate.Identity{Asked: 22, PID: 22, Comm: "java", Cmdline: "/usr/bin/java -jar hub.jar", State: "sleeping", Owner: owner, OwnerBy: "cgroup",
			Chain: []correlate.Link{{PID: 1, Comm: "systemd"}, {PID: 20, Comm: "containerd-shim"}, {PID: 22, Comm: "java"}}, Started: &started, AgeSeconds: 90061},
		Limit:         &correlate.LimitUse{PID: 22, Comm: "java", Descriptors: 4201, Soft: of(uint64(65_536)), Hard: of(uint64(1_048_576)), Percent: 6.41},
		PerProcessMax: of(uint64(1_048_576)),
		Kinds:         []report.Counted{{Name: "FIFO", Count: 3000}, {Name: "TCP", Count: 1100}, {Name: "inotify", Count: 2}, {Name: "file", Count: 99}},
		Targets: []report.Target{{Kind: "FIFO", Pattern: "/run/docker/containerd/…-std*", Count: 3000}, {Kind: "TCP", Pattern: "CLOSE_WAIT to 10.0.0.1:443", Count: 1090},
			{Kind: "file", Pattern: "/opt/hub/lib/….jar", Count: 80}},
		Sockets: []correlate.SocketRow{
			{SocketGroup: report.SocketGroup{Protocol: "TCP", State: "CLOSE_WAIT", Remote: "10.0.0.1:443", Count: 1090}, PeerOwner: &api},
			{SocketGroup: report.SocketGroup{Protocol: "TCP", State: "LISTEN", Local: "[::]:8080", Count: 1}},
			{SocketGroup: report.SocketGroup{Protocol: "unix", State: "CONNECTED", Remote: "/run/docker.sock", Peer: &report.SocketPeer{PID: 767196, Comm: "dockerd"}, Count: 9},
				PeerOwner: &correlate.Owner{Type: correlate.OwnerUnit, Unit: "docker.service"}}},
		ExecFIFOs:   []correlate.FIFORow{{ExecFIFOs: report.ExecFIFOs{Pattern: "/run/docker/containerd/…-std*", Count: 3000, Sessions: 1500}, Subject: owner}},
		Inotify:     &report.Inotify{Instances: 2, Watches: 1},
		InotifyUser: &correlate.InotifyUse{User: "root", Instances: 120, Watches: 9000, MaxInstances: of(uint64(128))},
	}
}

func TestFDProcess(t *testing.T) {
	kernel := correlate.ProcessFDs{Node: "node-43", Process: correlate.Identity{PID: 50, Comm: "jbd2/vda-8", State: "sleeping",
		Owner: correlate.Owner{Type: correlate.OwnerKernel}, Chain: []correlate.Link{{PID: 2, Comm: "kthreadd"}, {PID: 50, Comm: "jbd2/vda-8"}}}}
	hidden := kernel
	hidden.Process.Owner = correlate.Owner{Type: correlate.OwnerUnknown}
	hidden.Gaps = []report.Unreadable{{What: "/proc/PID/fd", Cause: "permission denied", Count: 1}}
	dead := hidden
	dead.Process.State = "zombie"
	endless := javaFDs()
	endless.Limit = &correlate.LimitUse{}
	endless.PerSecond, endless.Targets, endless.Sockets, endless.ExecFIFOs, endless.Inotify, endless.Kinds = nil, nil, nil, nil, nil, nil
	for name, show := range map[string]show{
		"pid-java":      processText(javaFDs(), sickFindings()[1:], nil),
		"pid-top":       processText(javaFDs(), nil, func(s *Style) { s.Top = 1 }),
		"pid-kernel":    processText(kernel, nil, nil),
		"pid-hidden":    processText(hidden, nil, nil),
		"pid-zombie":    processText(dead, nil, nil),
		"pid-unlimited": processText(endless, nil, nil),
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, show) })
	}
}
