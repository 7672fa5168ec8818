package diagnose

import (
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// onNFS is one thread of process 9 that waits for the server of its pod's volume, of
// which the kernel's log says that it is silent, or nothing.
func onNFS(silent string, stayed int64, switched uint64) func(*report.NodeReport) {
	return func(r *report.NodeReport) {
		r.Node.Uptime = 86_400
		r.Mounts = &report.Mounts{Filesystems: []report.Filesystem{{Number: "0:44", Type: "nfs4", Source: "nas:/export"}},
			List: []report.Mount{{ID: 20, Point: "/var/lib/kubelet/pods/" + podUID + "/volumes/kubernetes.io~nfs/pv-nas"}}}
		r.Tasks.Blocked = []report.BlockedTask{{PID: 9, TID: 9, Comm: "java", Wchan: "rpc_wait_bit_killable", StayedMillis: stayed, Switched: switched}}
		if silent != "" {
			r.Tasks.SilentNFS = []report.SilentServer{{Name: silent, Since: new(86_275.0), Last: new(86_397.0)}}
		}
	}
}

// kubeletOnNFS waits, too, as it measures volumes.
func kubeletOnNFS(r *report.NodeReport) {
	add(r, threads(326, "kubelet", inKubelet, 20))
	r.Tasks.Blocked = append(r.Tasks.Blocked, report.BlockedTask{PID: 326, TID: 330, Comm: "kubelet", Wchan: "rpc_wait_bit_killable", Switched: 4})
}

func TestServerIsNamedWithAllThatWait(t *testing.T) {
	r := tasksNode(400, func(r *report.NodeReport) {
		onNFS("nas", 0, 3)(r)
		kubeletOnNFS(r)
	})
	var got []string
	for _, f := range diagnosed(r, hubInventory()) {
		got = append(append(got, f.ID+": "+f.Summary), f.Evidence...)
		for _, step := range f.Remedy {
			if step.Run != "" {
				got = append(got, step.Run)
			}
		}
	}
	want := []string{
		"tasks-server: NFS server nas does not respond: 2 threads wait for it",
		"NFS server nas: 2 threads of prod/hub-0 and kubelet.service wait; the kernel's log says \"not responding\", first 2m5s ago, last 3s ago, no \"OK\" since",
		"volume pv-nas (nas:/export) is mounted from it, used by prod/hub-0",
		"nc -vz -w 3 nas 2049",
		"tasks-blocked: 1 thread of kubelet.service waits for the NFS server nas, which has not responded for 2m5s by the kernel's log",
		"process 326 (kubelet): 1 thread in uninterruptible sleep (D) in rpc_wait_bit_killable, awake only to ask again",
		"kubectl nodedoc whois-pid node-43 326",
		"tasks-blocked: 1 thread of prod/hub-0 (StatefulSet/hub) waits for the NFS server nas (volume pv-nas), which has not responded for 2m5s by the kernel's log",
		"process 9 (java): 1 thread in uninterruptible sleep (D) in rpc_wait_bit_killable, awake only to ask again",
		"kubectl nodedoc whois-pid node-43 9",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Whoever mounts chooses the server's name: it gets into no command that it would change.
func TestServerWithAHostileName(t *testing.T) {
	for _, name := range []string{"$(reboot)", "nas;reboot", "-e", "nas nas"} {
		r := tasksNode(400, func(r *report.NodeReport) {
			onNFS(name, 2000, 0)(r)
			r.Mounts.Filesystems[0].Source = name + ":/export"
		})
		for _, f := range diagnosed(r, hubInventory()) {
			for _, step := range f.Remedy {
				if strings.HasPrefix(step.Run, "nc") {
					t.Errorf("%q: %q", name, step.Run)
				}
			}
		}
	}
}
