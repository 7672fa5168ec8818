package printer

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func javaIdentity() correlate.Identity {
	owner := podOwner("hub-0", "StatefulSet/hub", correlate.PodKnown)
	owner.Container, owner.ContainerID = "agent", containerID
	return correlate.Identity{Asked: 3663411, PID: 3663411, Owner: owner, OwnerBy: correlate.ByCgroup,
		Chain: []correlate.Link{{PID: 1, Comm: "systemd"}, {PID: 1666, Comm: "containerd"}, {PID: 2711841, Comm: "containerd-shim"},
			{PID: 2711896, Comm: "copy_plugins.sh"}, {PID: 3663411, Comm: "java"}},
		Cgroup: "/kubepods/burstable/pod" + podUID + "/" + containerID,
		Comm:   "java", Cmdline: "/usr/bin/java -Xmx4g -jar /opt/hub/hub.jar --heartbeat=1s --remote=https://third.party.example/heartbeat", State: "sleeping",
		User: "root", UID: of(0), Started: of(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), AgeSeconds: 86400 * 3, RSSBytes: 3 << 30, Threads: 1234,
		FDs: of(4201), FDTop: report.Target{Kind: "FIFO", Pattern: "/run/docker/containerd/…-stdout", Count: 2090},
		PIDInContainer: 7, Exe: "/usr/lib/jvm/bin/java", Cwd: "/opt/hub"}
}

func TestWhois(t *testing.T) {
	at := func(change func(*correlate.Identity)) []correlate.Identity {
		i := javaIdentity()
		change(&i)
		return []correlate.Identity{i}
	}
	bare := func(o correlate.Owner) correlate.Identity {
		return correlate.Identity{Asked: 5, PID: 5, Chain: []correlate.Link{{PID: 5, Comm: "x"}}, Owner: o, Comm: "x", State: "sleeping", Threads: 1}
	}
	for name, list := range map[string][]correlate.Identity{
		"whois-none": {},
		"whois-java": {javaIdentity()},
		"whois-thread": at(func(i *correlate.Identity) {
			i.Asked, i.Thread = 3663412, &correlate.Thread{Comm: "GC Thread#0", State: "sleeping"}
		}),
		"whois-gone": at(func(i *correlate.Identity) {
			i.Owner.PodState, i.Owner.Workload = correlate.PodGone, ""
			i.Notes = []string{"the API server has no such pod on this node any more: it is an orphan, or about to end"}
		}),
		"whois-unreadable": at(func(i *correlate.Identity) {
			i.Exe, i.Cwd, i.User, i.UID, i.FDs, i.Started, i.PIDInContainer = "", "", "", nil, nil, nil, 0
			i.Unreadable = []report.Unreadable{{What: "/proc/3663411/exe", Cause: "permission denied"}, {What: "/proc/3663411/fd", Cause: "permission denied", Count: 12}}
		}),
		"whois-shim": at(func(i *correlate.Identity) {
			shimOf := i.Owner
			i.Owner, i.Shim = correlate.Owner{Type: correlate.OwnerUnit, Unit: "containerd.service"}, &shimOf
		}),
		"whois-wide-runes": at(func(i *correlate.Identity) {
			i.Comm, i.Cmdline = "工作进程", strings.TrimSpace(strings.Repeat("/数据/工作进程 参数 ", 12))
			i.Chain[4].Comm = i.Comm
		}),
		"whois-hostile": at(func(i *correlate.Identity) {
			i.Comm = report.Escape("a) R 1 (\x1b[2J\n")
			i.Chain[4].Comm = i.Comm
			i.Cmdline = report.Escape("x\x1b]0;owned\a \u202e\u009b31m  two  spaces ")
			i.Cwd = report.Escape("/tmp/\xff\u2028")
		}),
		"whois-owners": {
			bare(correlate.Owner{Type: correlate.OwnerPod, Namespace: "prod", Pod: "web", PodState: correlate.PodReplaced, ContainerID: containerID}),
			bare(correlate.Owner{Type: correlate.OwnerPod, Namespace: "prod", Pod: "web", Container: "POD", ContainerID: containerID, Sandbox: true}),
			bare(correlate.Owner{Type: correlate.OwnerPod, Namespace: "prod", Pod: "web"}),
			bare(correlate.Owner{Type: correlate.OwnerPod, Namespace: "kube-system", Pod: "etcd-n1", Static: true, Workload: "static pod", Container: "etcd", ContainerID: containerID}),
			bare(correlate.Owner{Type: correlate.OwnerPod, PodUID: podUID, PodState: correlate.PodGone}),
			bare(correlate.Owner{Type: correlate.OwnerContainer, ContainerID: containerID}),
			bare(correlate.Owner{Type: correlate.OwnerUnit, Unit: "cron.service"}),
			bare(correlate.Owner{Type: correlate.OwnerCgroup, Cgroup: "/", Command: "dockerd"}),
			bare(correlate.Owner{Type: correlate.OwnerKernel}),
			bare(correlate.Owner{Type: correlate.OwnerUnknown}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, func(t *testing.T, s Style) string {
				var b bytes.Buffer
				if err := Whois(&b, "node-43", list, nil, s); err != nil {
					t.Fatal(err)
				}
				return b.String()
			})
		})
	}
}

// A write that fails is told, wherever in the text it happens.
func TestWriteErrors(t *testing.T) {
	list := []correlate.Identity{javaIdentity(), javaIdentity()}
	list[0].Notes = []string{"a note"}
	list[0].Unreadable = []report.Unreadable{{What: "a", Cause: "b"}}
	for name, print := range map[string]func(*failing) error{
		"fd":  func(w *failing) error { return FD(w, sickRanking(), sickFindings(), Style{Width: 80, Top: 1}) },
		"odd": func(w *failing) error { return FD(w, oddRanking(), nil, Style{}) },
		"whois": func(w *failing) error {
			return Whois(w, "n", list, []report.Unreadable{{What: "pods of the API server", Cause: "forbidden"}}, Style{Width: 80})
		},
	} {
		t.Run(name, func(t *testing.T) {
			all := &failing{after: 1 << 30}
			if err := print(all); err != nil {
				t.Fatal(err)
			}
			for n := range all.writes {
				if err := print(&failing{after: n}); !errors.Is(err, errFull) {
					t.Errorf("write %d of %d failed, and nobody says so: %v", n+1, all.writes, err)
				}
			}
		})
	}
}

var errFull = errors.New("full")

// failing takes some writes and then none.
type failing struct{ after, writes int }

func (f *failing) Write(b []byte) (int, error) {
	if f.writes++; f.writes > f.after {
		return 0, errFull
	}
	return len(b), nil
}
