package correlate

import (
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func TestProcessFDs(t *testing.T) {
	r := testNode()
	p := &r.Processes.List[3]
	uid := 0
	p.UID = &uid
	p.Detail = &report.ProcessDetail{UID: 0, Threads: []report.Thread{{ID: 2100, Comm: "worker", State: "S"}}}
	p.FDs.Inotify = &report.Inotify{Instances: 2, Watches: 30}
	p.FDs.Sockets = []report.SocketGroup{
		{Protocol: "unix", State: "CONNECTED", Remote: "/run/containerd/containerd.sock", Peer: &report.SocketPeer{PID: 10, Comm: "containerd"}, Count: 3},
		{Protocol: "TCP", State: "ESTABLISHED", Remote: "[fd00::7]:2379", Count: 2},
		{Protocol: "TCP", State: "ESTABLISHED", Remote: "192.0.2.1:443", Count: 1},
		{Protocol: "unix", Peer: &report.SocketPeer{PID: 4711, Comm: "gone"}, Count: 1},
	}
	p.FDs.ExecFIFOs = []report.ExecFIFOs{{Pattern: "/run/…", Count: 4, Sessions: 2}}
	inv := testInventory()
	inv.Pods[1].IPs = []string{"fd00:0::7"}
	n := Join(r, inv)

	byThread, ok := n.ProcessFDs(2100)
	if !ok || byThread.Process.PID != 21 || byThread.Process.Thread == nil {
		t.Fatalf("by its thread: %+v, %v", byThread, ok)
	}
	a, ok := n.ProcessFDs(21)
	if !ok || *a.Descriptors != 1000 || *a.PerSecond != 50 || a.Process.Owner.Pod != "hub-1" || a.InotifyUser.Watches != 30 {
		t.Errorf("got %+v, %v", a, ok)
	}
	for i, want := range []string{"containerd.service", "kube-system/etcd-n1", "", ""} {
		got := ""
		if o := a.Sockets[i].PeerOwner; o != nil {
			got = o.Name()
		}
		if got != want {
			t.Errorf("other end of %+v: got %q, want %q", a.Sockets[i].SocketGroup, got, want)
		}
	}
	if a.ExecFIFOs[0].Subject.Pod != "hub-1" {
		t.Errorf("got %+v", a.ExecFIFOs)
	}
	if _, ok := n.ProcessFDs(4711); ok {
		t.Error("there is no process 4711")
	}
}

// Absent is not zero.
func TestProcessWithoutDescriptors(t *testing.T) {
	a, ok := Join(testNode(), nil).ProcessFDs(50)
	if !ok || a.Descriptors != nil || a.Kinds == nil || a.Sockets == nil {
		t.Errorf("a kernel thread: %+v, %v", a, ok)
	}
	a, _ = Join(testNode(), nil).ProcessFDs(40)
	if a.Descriptors == nil || a.PerSecond != nil {
		t.Errorf("counted once: %+v", a)
	}
}
