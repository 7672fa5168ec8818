package diagnose

import (
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const closeWaitTo = "10.0.0.1:443"

func closeWaits(count int) []report.SocketGroup {
	return []report.SocketGroup{{Protocol: "TCP", State: "CLOSE_WAIT", Remote: closeWaitTo, Count: count}}
}

// withSockets is a node whose java has some sockets.
func withSockets(groups ...report.SocketGroup) *report.NodeReport {
	p := process(22, "java", inPod, 300, 300)
	p.FDs.Sockets = groups
	return add(newNode(), p)
}

func TestCloseWait(t *testing.T) {
	accepted := func(port string, count int) report.SocketGroup {
		return report.SocketGroup{Protocol: "TCP", State: "CLOSE_WAIT", Local: "0.0.0.0:8080", Remote: "10.9.9.9:" + port, Count: count}
	}
	for name, c := range map[string]struct {
		r    *report.NodeReport
		want string
	}{
		"99":                              {withSockets(closeWaits(99)...), ""},
		"100":                             {withSockets(closeWaits(100)...), "prod/hub-0, container agent (StatefulSet/hub) does not close 100 connections to 10.0.0.1:443"},
		"99 each to two":                  {withSockets(closeWaits(99)[0], report.SocketGroup{Protocol: "TCP", State: "CLOSE_WAIT", Remote: "10.0.0.2:443", Count: 99}), ""},
		"as many, but open":               {withSockets(report.SocketGroup{Protocol: "TCP", State: "ESTABLISHED", Remote: closeWaitTo, Count: 5000}), ""},
		"as a server, a port each":        {withSockets(accepted("1", 60), accepted("2", 60)), "prod/hub-0, container agent (StatefulSet/hub) does not close 120 connections from 10.9.9.9 that it accepted at 0.0.0.0:8080"},
		"as a server, of nobody in order": {withSockets(report.SocketGroup{Protocol: "TCP", State: "CLOSE_WAIT", Local: ":80", Count: 200}), "prod/hub-0, container agent (StatefulSet/hub) does not close 200 connections that it accepted at :80"},
		"to too many to tell apart":       {withSockets(report.SocketGroup{Protocol: "TCP", State: "CLOSE_WAIT", Count: 200}), "prod/hub-0, container agent (StatefulSet/hub) does not close 200 connections to many addresses"},
		"in two workers": {func() *report.NodeReport {
			r := withSockets(closeWaits(60)...)
			worker := process(23, "java", inPod, 300, 300)
			worker.FDs.Sockets = closeWaits(40)
			return add(r, worker)
		}(), "prod/hub-0, container agent (StatefulSet/hub) does not close 100 connections to 10.0.0.1:443"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if findings := diagnosed(c.r, hubInventory()); len(findings) > 0 {
				got = findings[0].Summary
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// The pod behind the address is named where it is one of this node.
func TestCloseWaitNamesThePodAtTheOtherEnd(t *testing.T) {
	inv := hubInventory()
	inv.Pods = append(inv.Pods,
		inventory.Pod{Namespace: "prod", Name: "old", UID: "0c0e0f4e-0000-4000-8000-000000000001", Phase: "Succeeded", IPs: []string{"10.0.0.1"}},
		inventory.Pod{Namespace: "prod", Name: "api-0", UID: "0c0e0f4e-0000-4000-8000-000000000000", Phase: "Running", IPs: []string{"10.0.0.1"}})
	f := diagnosed(withSockets(closeWaits(150)...), inv)
	if len(f) != 1 || !slices.Contains(f[0].Evidence, "10.0.0.1:443 is prod/api-0") {
		t.Errorf("got %+v", f)
	}
	if last := f[0].Remedy[len(f[0].Remedy)-1].Run; last != "kubectl -n prod delete pod hub-0" {
		t.Errorf("got %q", last)
	}
}

func TestGrowthByCloseWaitNamesItsCause(t *testing.T) {
	p := process(22, "java", inPod, 900, 1000)
	p.FDs.Sockets = closeWaits(700)
	r := add(newNode(), p)
	r.OpenFiles = openFiles(1000, 900, 950, 960)
	findings := diagnosed(r, hubInventory())
	if got, want := said(findings), []string{"fd-node-limit critical", "fd-close-wait warning", "fd-growth warning"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	if !slices.Equal(findings[2].CausedBy, []string{CloseWait}) || !slices.Equal(findings[0].CausedBy, []string{CloseWait, FDGrowth}) {
		t.Errorf("got %+v", findings)
	}
}

func TestRuntimeClients(t *testing.T) {
	at := func(path string, count int) *report.NodeReport {
		server := process(9, "dockerd", inDocker, 300, 300)
		server.FDs.Sockets = []report.SocketGroup{{Protocol: "unix", State: "CONNECTED", Local: path, Peer: &report.SocketPeer{PID: 22, Comm: "java"}, Count: count}}
		return add(withSockets(), server)
	}
	both := at("/run/docker.sock", 500)
	both.Processes.List[0].FDs.Sockets = []report.SocketGroup{{Protocol: "unix", State: "CONNECTED", Remote: "/var/run/docker.sock", Peer: &report.SocketPeer{PID: 9, Comm: "dockerd"}, Count: 480}}
	for name, c := range map[string]struct {
		r    *report.NodeReport
		want string
	}{
		"499":            {at("/run/docker.sock", 499), ""},
		"500":            {at("/run/docker.sock", 500), "prod/hub-0, container agent (StatefulSet/hub) holds 500 connections to /run/docker.sock"},
		"both ends tell": {both, "holds 500 connections to /"},
		"another socket": {at("/run/dbus.sock", 5000), ""},
		"client that has gone": {func() *report.NodeReport {
			r := at("/run/containerd/containerd.sock", 600)
			r.Processes.List[1].FDs.Sockets[0].Peer.PID = 4711
			return r
		}(), "unknown holds 600 connections to /run/containerd/containerd.sock"},
	} {
		t.Run(name, func(t *testing.T) {
			findings := diagnosed(c.r, hubInventory())
			if c.want == "" && len(findings) == 0 {
				return
			}
			if len(findings) != 1 || findings[0].ID != RuntimeClients || !strings.Contains(findings[0].Summary, c.want) || c.want == "" {
				t.Errorf("got %+v, want %q", findings, c.want)
			}
		})
	}
}
