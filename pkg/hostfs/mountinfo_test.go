package hostfs

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func TestMountinfo(t *testing.T) {
	in := strings.Join([]string{
		`36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue`,
		`37 35 0:5 / /no\040optional\011fields rw - tmpfs tmpfs rw`,
		`38 35 0:6 / /a\134b\012c rw propagate_from:2 unbindable - nfs4 server:/x rw`,
		`39 35 0:7 / /` + strings.Repeat("x", 387<<10) + ` rw - fuse.sshfs x rw`,
		`torn li`,
		`40 35 0:8 / /after rw - xfs /dev/sda1 rw`,
		``,
	}, "\n")
	got, skipped := mountsIn(t, []byte(in))
	want := []Mount{{"/mnt2", "ext3"}, {"/no optional\tfields", "tmpfs"}, {"/a\\b\nc", "nfs4"}, {"/after", "xfs"}}
	if !reflect.DeepEqual(got, want) || skipped != 2 {
		t.Errorf("got %+v and %d skipped, want %+v and 2", got, skipped, want)
	}
}

func mountsIn(t *testing.T, b []byte) (mounts []Mount, skipped int) {
	skipped, err := EachMount(bytes.NewReader(b), func(m DeviceMount) { mounts = append(mounts, m.Mount) })
	if err != nil {
		t.Fatal(err)
	}
	return mounts, skipped
}

func TestFSTypeAt(t *testing.T) {
	mounts := []Mount{{"/", "ext4"}, {"/var", "xfs"}, {"/var/lib/kubelet", "nfs4"}, {"/var", "btrfs"}}
	for path, want := range map[string]string{"/": "ext4", "/etc": "ext4", "/var/log": "btrfs", "/variable": "ext4",
		"/var/lib/kubelet": "nfs4", "/var/lib/kubelet/pods": "nfs4"} {
		if got := FSTypeAt(mounts, path); got != want {
			t.Errorf("%s lies on %s, want %s", path, got, want)
		}
	}
	if !Remote("fuse.glusterfs") || !Remote("nfs4") || Remote("overlay") || Remote("") || Remote("tmpfs") {
		t.Error("which filesystems are remote?")
	}
}

func FuzzMountinfo(f *testing.F) {
	f.Add([]byte("36 35 98:0 /mnt1 /mnt2\\040 rw master:1 - ext3 /dev/root rw\n"))
	f.Add([]byte("1 1 1 / / rw - \n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		mounts, _ := mountsIn(t, b)
		FSTypeAt(mounts, string(b))
	})
}
