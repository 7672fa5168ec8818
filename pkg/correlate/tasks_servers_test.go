package correlate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// remoteNode is one on which java of prod/hub-0 and systemd wait, and what it has
// mounted: "nfs nas:/a POINT", one a line.
func remoteNode(wchan string, mounts ...string) *report.NodeReport {
	r := tasksReport()
	r.Mounts = &report.Mounts{}
	for i, line := range mounts {
		f := strings.Fields(line)
		r.Mounts.Filesystems = append(r.Mounts.Filesystems, report.Filesystem{Number: fmt.Sprint("0:", 40+i), Type: f[0], Source: f[1]})
		r.Mounts.List = append(r.Mounts.List, report.Mount{ID: 20 + i, FS: i, Point: f[2]})
	}
	r.Tasks.Blocked = []report.BlockedTask{{PID: 20, TID: 20, Wchan: wchan, StayedMillis: 2000}, {PID: 1, TID: 1, Wchan: wchan, StayedMillis: 2000}}
	return r
}

const (
	taskVolumes = "/var/lib/kubelet/pods/" + taskPodUID + "/volumes/kubernetes.io~nfs/"
	othersNFS   = "/var/lib/kubelet/pods/" + goneTaskUID + "/volumes/kubernetes.io~nfs/"
)

func silentSince(r *report.NodeReport, names ...string) *report.NodeReport {
	for _, name := range names {
		r.Tasks.SilentNFS = append(r.Tasks.SilentNFS, report.SilentServer{Name: name, Since: new(400.0), Last: new(900.0)})
	}
	return r
}

func TestWaitedServer(t *testing.T) {
	hostPath := taskInventory()
	hostPath.Pods[0].Volumes = []inventory.Volume{{Name: "host", HostPath: "/data"}}
	for name, c := range map[string]struct {
		r   *report.NodeReport
		inv *inventory.Inventory
		// of hub-0, and of systemd
		want string
	}{
		"the pod's only one": {remoteNode("rpc_wait_bit_killable", "nfs nas-a:/x "+taskVolumes+"pv-a", "nfs4 nas-b:/x "+othersNFS+"pv-b"), nil,
			"nas-a [pv-a] -; ? [] -"},
		"two volumes of one server": {remoteNode("rpc_wait_bit_killable", "nfs nas:/x "+taskVolumes+"pv-a", "nfs nas:/y "+taskVolumes+"pv-b"), nil,
			"nas [pv-a pv-b] -; nas [] -"},
		"two servers": {remoteNode("nfs_wait_bit_killable", "nfs nas-a:/x "+taskVolumes+"pv-a", "nfs nas-b:/x "+taskVolumes+"pv-b"), nil,
			"? [] -; ? [] -"},
		"two servers, one is silent": {silentSince(remoteNode("nfs_wait_bit_killable", "nfs nas-a:/x "+taskVolumes+"pv-a", "nfs nas-b:/x "+taskVolumes+"pv-b"), "nas-b", "nas-c"), nil,
			"nas-b [pv-b] 600; nas-b [] 600"},
		"two servers, both silent": {silentSince(remoteNode("nfs_wait_bit_killable", "nfs nas-a:/x "+taskVolumes+"pv-a", "nfs nas-b:/x "+taskVolumes+"pv-b"), "nas-a", "nas-b"), nil,
			"? [] -; ? [] -"},
		"a hostPath leads to more": {remoteNode("rpc_wait_bit_killable", "nfs nas-a:/x "+taskVolumes+"pv-a", "nfs nas-b:/x /data"), hostPath,
			"? [] -; ? [] -"},
		"a hostPath leads to the same": {remoteNode("rpc_wait_bit_killable", "nfs nas-a:/x "+taskVolumes+"pv-a", "nfs nas-a:/y /data"), hostPath,
			"nas-a [pv-a] -; nas-a [] -"},
		"nobody knows the pod's hostPaths": {remoteNode("rpc_wait_bit_killable", "nfs nas-a:/x "+taskVolumes+"pv-a", "nfs nas-b:/x /data"), &inventory.Inventory{Node: "node-43"},
			"? [] -; ? [] -"},
		"the node's, none of the pod's": {remoteNode("rpc_wait_bit_killable", "nfs [fd00::7]:/x /data"), nil, "fd00::7 [] -; fd00::7 [] -"},
		"another sort":                  {remoteNode("rpc_wait_bit_killable", "cifs //win/share "+taskVolumes+"pv-a"), nil, "? [] -; ? [] -"},
		"SMB":                           {remoteNode("wait_for_response", "cifs //win/share "+taskVolumes+"pv-a"), nil, "win [pv-a] -; win [] -"},
		"FUSE has no server":            {remoteNode("request_wait_answer", "fuse.s3fs s3fs "+taskVolumes+"pv-a"), nil, "? [pv-a] -; ? [] -"},
		"a disk":                        {remoteNode("io_schedule", "nfs nas:/x "+taskVolumes+"pv-a"), nil, "? [] -; ? [] -"},
		"a source without a server":     {remoteNode("rpc_wait_bit_killable", "nfs none "+taskVolumes+"pv-a"), nil, "? [pv-a] -; ? [] -"},
		"a source without a server, and another": {remoteNode("rpc_wait_bit_killable", "nfs none "+taskVolumes+"pv-a", "nfs nas:/x "+taskVolumes+"pv-b"), nil,
			"? [] -; nas [] -"},
		"mounts unread": {func() *report.NodeReport { r := remoteNode("rpc_wait_bit_killable"); r.Mounts = nil; return r }(), nil, "? [] -; ? [] -"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.inv == nil {
				c.inv = taskInventory()
			}
			rows := map[int]string{}
			for _, b := range Join(c.r, c.inv).Tasks(TaskOptions{}).Blocked {
				server, silent := b.Server, "-"
				if server == "" {
					server = "?"
				}
				if b.SilentSeconds != nil {
					silent = fmt.Sprint(*b.SilentSeconds)
				}
				rows[b.PID] = fmt.Sprint(server, " ", b.Volumes, " ", silent)
			}
			if got := rows[20] + "; " + rows[1]; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Who waits for a silent server wakes up with each timeout, and asks again: that is
// no work. Who is answered is switched to far more often.
func TestRetriesOfASilentServer(t *testing.T) {
	for name, c := range map[string]struct {
		switched uint64
		silent   string
		want     int
	}{
		"timeo=10": {3, "nas", 1}, "timeo=5": {6, "nas", 1}, "works": {7, "nas", 0}, "works hard": {1 << 63, "nas", 0},
		"the log says nothing": {3, "", 0}, "another is silent": {3, "nas-2", 0}, "nobody could count": {0, "nas", 0},
	} {
		r := remoteNode("rpc_wait_bit_killable", "nfs nas:/x "+taskVolumes+"pv-a")
		r.Tasks.Blocked = []report.BlockedTask{{PID: 20, TID: 20, Wchan: "rpc_wait_bit_killable", Switched: c.switched}}
		if c.silent != "" {
			silentSince(r, c.silent)
		}
		b := Join(r, taskInventory()).Tasks(TaskOptions{}).Blocked[0]
		if b.Retrying != c.want || b.Waiting() != c.want || b.Stayed != 0 || b.StayedSeconds != 0 {
			t.Errorf("%s: got %+v", name, b)
		}
	}
}

// A soft mount never says that the server answers: what it said long ago is no news.
func TestSoftMountGaveUp(t *testing.T) {
	for last, want := range map[float64]int{990: 1, 700: 1, 699: 0} {
		r := remoteNode("rpc_wait_bit_killable", "nfs nas:/x "+taskVolumes+"pv-a")
		r.Tasks.Blocked = []report.BlockedTask{{PID: 20, TID: 20, Wchan: "rpc_wait_bit_killable", Switched: 3}}
		r.Tasks.SilentNFS = []report.SilentServer{{Name: "nas", Since: new(600.0), Last: &last, GaveUp: true}}
		b := Join(r, taskInventory()).Tasks(TaskOptions{}).Blocked[0]
		if b.Retrying != want || (b.SilentSeconds != nil) != (want == 1) || want == 1 && *b.SaidSeconds != 1000-last {
			t.Errorf("at %g: got %+v", last, b)
		}
	}
}

func TestStackTellsTheFilesystem(t *testing.T) {
	const page = "folio_wait_bit_common filemap_get_pages filemap_read "
	for name, c := range map[string]struct{ wchan, stack, in, want string }{
		"wchan untold":              {"", "rpc_wait_bit_killable __rpc_execute", "rpc_wait_bit_killable", WaitsNFS},
		"a page of NFS":             {"folio_wait_bit_common", page + "nfs_file_read", "folio_wait_bit_common", WaitsNFS},
		"a page of FUSE":            {"folio_wait_bit_common", page + "fuse_file_read_iter", "folio_wait_bit_common", WaitsFUSE},
		"a page of a disk":          {"folio_wait_bit_common", page + "ext4_file_read_iter", "folio_wait_bit_common", waitsDisk},
		"NFS has written":           {"wait_on_commit", "", "wait_on_commit", WaitsNFS},
		"a lock on the way to NFS":  {"rwsem_down_write_slowpath", "rwsem_down_write_slowpath nfs_file_write", "rwsem_down_write_slowpath", "a lock that another task holds"},
		"throttled as it writes":    {"balance_dirty_pages", "balance_dirty_pages generic_perform_write nfs_file_write", "balance_dirty_pages", "the disk: dirty pages that are being written"},
		"FUSE on top of NFS":        {"", "request_wait_answer fuse_lookup nfs_odd", "request_wait_answer", WaitsFUSE},
		"nobody knows":              {"", "do_something else_where", "do_something", ""},
		"neither is told":           {"", "", "", ""},
		"the NFS server's own work": {"folio_wait_bit_common", page + "nfsd_read", "folio_wait_bit_common", waitsDisk},
	} {
		if in, got := waitsOf(c.wchan, strings.Fields(c.stack)); in != c.in || got != c.want {
			t.Errorf("%s: got %q, %q", name, in, got)
		}
	}
}

// A report may claim any place, and any time.
func TestBlockedTaskOfANodeThatMakesItUp(t *testing.T) {
	r := silentSince(remoteNode("", "nfs nas:/x "+taskVolumes+"pv-a"), "nas", "nas")
	r.Tasks.Stacks = []string{"nfs_wait_bit_killable"}
	for i, stack := range []int{-1, 2, 1 << 40, 1} {
		r.Tasks.Blocked = append(r.Tasks.Blocked, report.BlockedTask{PID: 100 + i, TID: 1, Stack: stack})
	}
	r.Tasks.SilentNFS[1].Since = new(1e300)
	for _, b := range Join(r, taskInventory()).Tasks(TaskOptions{}).Blocked {
		if (b.WaitsFor == WaitsNFS) != (b.PID == 103) || b.SilentSeconds != nil && (*b.SilentSeconds < 0 || *b.SilentSeconds > 1000) {
			t.Errorf("got %+v", b)
		}
	}
}
