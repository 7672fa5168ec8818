//go:build linux

package probe

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Two network namespaces: the node's, where 10 listens and 11 has inherited the
// socket, and a pod's, where 20 has the same port, by UDP. 12 has ended as far
// as its namespace goes, and 13 is a zombie.
const foundTree = `
-- proc/uptime --
100.00 1.00
-- proc/1 (process) --
comm init
parent 0
cgroup /init.scope
args init
-- proc/1/ns/net -> net:[1000] --
-- proc/1/net/tcp --
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 501 1 0 100 0 0 10 0
   1: 0100007F:0050 0100007F:1F91 01 00000000:00000000 00:00000000 00000000     0        0 502 1 0 100 0 0 10 0
   2: 0100007F:0050 0100007F:1F92 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0 100 0 0 10 0
   3: 0100007F:0051 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 503 1 0 100 0 0 10 0
-- proc/1/net/udp --
-- proc/10 (process) --
comm web
cgroup /system.slice/web.service
args web
fd 3 socket:[501]
fd 4 socket:[501]
fd 5 socket:[502]
fd 6 pipe:[900]
-- proc/10/ns/net -> net:[1000] --
-- proc/11 (process) --
comm worker
parent 10
cgroup /system.slice/web.service
args worker
fd 3 socket:[501]
fd 0 pipe:[900]
fd 1 pipe:[9000]
-- proc/11/ns/net -> net:[1000] --
-- proc/13 (process) --
comm dead
state Z
cgroup /
-- proc/20 (process) --
comm dns
cgroup /kubepods/podx
args dns
fd 3 socket:[600]
-- proc/20/ns/net -> net:[2000] --
-- proc/20/net/tcp --
-- proc/20/net/udp --
   0: 00000000:0050 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 600 1 0 100 0 0 10 0
`

func TestFound(t *testing.T) {
	for name, c := range map[string]struct {
		find    report.Find
		sockets string
		holders string
	}{
		"port":   {report.Find{Port: 80}, "TCP LISTEN 0.0.0.0:80 501 host, TCP ESTABLISHED 127.0.0.1:80 502 host, UDP  0.0.0.0:80 600", "10 socket 501 2, 10 socket 502 1, 11 socket 501 1, 20 socket 600 1"},
		"socket": {report.Find{Inode: 503}, "TCP ESTABLISHED 127.0.0.1:81 503 host", ""},
		"pipe":   {report.Find{Inode: 900}, "", "10 pipe 900 1, 11 pipe 900 1"},
		"none":   {report.Find{Port: 443}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			req := report.NewRequest(report.CollectProcesses, report.CollectFound)
			req.Find = &c.find
			found := collect(t, plant(t, foundTree), req).Found
			var sockets, holders []string
			for _, s := range found.Sockets {
				text := fmt.Sprintf("%s %s %s %d", s.Protocol, s.State, s.Local, s.Inode)
				switch {
				case s.HostNetwork == nil:
					text += " unknown"
				case *s.HostNetwork:
					text += " host"
				}
				sockets = append(sockets, text)
			}
			for _, h := range found.Holders {
				holders = append(holders, fmt.Sprintf("%d %s %d %d", h.PID, h.Kind, h.Inode, h.Count))
			}
			if got := strings.Join(sockets, ", "); got != c.sockets {
				t.Errorf("sockets\n got %s\nwant %s", got, c.sockets)
			}
			if got := strings.Join(holders, ", "); got != c.holders || found.Namespaces != 2 || len(found.Unreadable) > 0 {
				t.Errorf("holders\n got %s\nwant %s; %+v", got, c.holders, found)
			}
		})
	}
}

// What is left of the deadline is too little: the answer comes, and says so.
func TestFoundWithoutTime(t *testing.T) {
	fs := plant(t, foundTree)
	r := run{fs: fs, req: report.Request{Find: &report.Find{Port: 80}}, report: collect(t, fs, report.NewRequest(report.CollectProcesses))}
	ctx, cancel := context.WithTimeout(t.Context(), foundReserve)
	defer cancel()
	publish, err := collectFound(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	publish(&r)
	if f := r.report.Found; !f.EndedEarly || f.Namespaces != 0 || len(f.Unreadable) != 1 || f.Unreadable[0].Cause != errNoTime.Error() {
		t.Errorf("got %+v", f)
	}
}

// Without the first process's namespace, the probe's own is the node's; without
// any, nobody says that a listener lives in another.
func TestFoundWithoutTheFirstProcess(t *testing.T) {
	tree := strings.Replace(strings.Replace(foundTree, "-- proc/1/ns/net -> net:[1000] --\n", "", 1), "proc/1/net/", "proc/10/net/", 2)
	for self, want := range map[string]string{"": "unknown", "-- proc/self -> 11 --\n": "host"} {
		req := report.NewRequest(report.CollectProcesses, report.CollectFound)
		req.Find = &report.Find{Inode: 501}
		found := collect(t, plant(t, tree+self), req).Found
		got := "unknown"
		if len(found.Sockets) == 1 && found.Sockets[0].HostNetwork != nil && *found.Sockets[0].HostNetwork {
			got = "host"
		}
		if len(found.Sockets) != 1 || got != want {
			t.Errorf("%q: got %s, want %s: %+v", self, got, want, found)
		}
	}
}
