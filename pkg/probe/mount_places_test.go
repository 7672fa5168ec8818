//go:build linux

package probe

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Exports of one server are one filesystem to NFS; each has its own source.
func TestSourceOfEachExport(t *testing.T) {
	m := mountsOf(t, smallNode+`
-- proc/1/mountinfo --
30 1 8:1 / / rw - ext4 /dev/sda1 rw
31 30 8:1 /x /y rw - ext4 /dev/disk/by-uuid/0a rw
40 30 0:40 / /a rw - nfs4 filer:/a rw
41 30 0:40 / /b rw - nfs4 filer:/b\040c rw
42 30 0:41 /d /d rw - cifs //u:secret@filer/s rw
43 30 0:41 /e /e rw - cifs //u:secret@filer/s/e rw
`)
	var got []string
	for _, l := range m.List {
		got = append(got, l.Source)
	}
	if strings.Join(got, ",") != ",,,filer:/b c,,"+hostfs.RedactSource("//u:secret@filer/s/e") {
		t.Errorf("got %q", got)
	}
}

// What a disk is for, where it is mounted in directories that are not the kubelet's.
func TestDisksOfVolumesAndOfTheNode(t *testing.T) {
	const volume = "/var/lib/kubelet/pods/u/volumes/kubernetes.io~csi/pv/mount"
	for name, c := range map[string]struct {
		mounts [][2]string // point, root
		want   bool
	}{
		"Portworx, in a directory of its own": {[][2]string{{"/var/lib/osd/mounts/pv", "/"}, {volume, "/"}}, true},
		"Kata, shared with its machine":       {[][2]string{{volume, "/"}, {"/run/kata-containers/shared/sandboxes/x/mounts/y", "/"}}, true},
		"a local volume on a disk for data":   {[][2]string{{"/data", "/"}, {volume, "/disk1"}}, false},
		"the kubelet's own disk":              {[][2]string{{"/var/lib/kubelet", "/"}, {volume, "/pods/u/volumes/x"}}, false},
		"a disk below a container's root":     {[][2]string{{"/srv", "/"}, {"/x/merged" + volume, "/"}}, false},
	} {
		p := newPlaces()
		for _, m := range c.mounts {
			p.add(0, "ext4", m[0], m[1])
		}
		if got := p.volume(0, report.Filesystem{Type: "ext4", Source: "/dev/sdb"}); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A driver's pod with the kubelet's directory and one in it, both shared, mounts the
// latter upon itself: that is no volume, and the notes below are the kubelet's.
func TestNotesBelowADirectoryThatIsMountedUponItself(t *testing.T) {
	for name, c := range map[string]struct {
		mount string
		want  int
	}{
		"the kubelet's disk":       {"31 30 8:1 /var/lib/kubelet/plugins/kubernetes.io /var/lib/kubelet/plugins/kubernetes.io rw shared:1 - ext4 /dev/sda1 rw\n", 1},
		"another disk":             {"31 30 8:2 / /var/lib/kubelet/plugins/kubernetes.io rw shared:1 - ext4 /dev/sda2 rw\n", 0},
		"a server's":               {"31 30 0:9 / /var/lib/kubelet/plugins/kubernetes.io rw shared:1 - nfs4 s:/ rw\n", 0},
		"the same disk upon these": {"31 30 0:9 / /var/lib/kubelet/plugins rw - nfs4 s:/ rw\n32 31 8:1 /x /var/lib/kubelet/plugins/kubernetes.io rw - ext4 /dev/sda1 rw\n", 0},
	} {
		m := mountsOf(t, smallNode+`
-- proc/1/mountinfo --
30 1 8:1 / / rw - ext4 /dev/sda1 rw
`+c.mount+`40 30 8:16 / /var/lib/kubelet/plugins/kubernetes.io/csi/d.example/0a/globalmount rw - ext4 /dev/sdb rw
-- root/var/lib/kubelet/plugins/kubernetes.io/csi/d.example/0a/vol_data.json --
{"specVolID":"pv-1"}
`)
		if len(m.VolumeData) != c.want || len(m.VolumeData)+len(m.Unreadable) != 1 {
			t.Errorf("%s: got %+v, %+v", name, m.VolumeData, m.Unreadable)
		}
	}
}
