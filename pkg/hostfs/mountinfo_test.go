package hostfs

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestMountinfo(t *testing.T) {
	line := func(m MountLine) *MountLine { return &m }
	for oddity, c := range map[string]struct {
		line string
		want *MountLine
	}{
		"the manual's": {`36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`,
			line(MountLine{ID: 36, Parent: 35, Major: 98, Root: []byte("/mnt1"), Point: []byte("/mnt2"), Master: 1, FSType: []byte("ext3"), Source: []byte("/dev/root"), Super: []byte("rw,errors=continue")})},
		"no optional field": {`37 35 0:5 / /a\040b rw - tmpfs tmpfs rw`,
			line(MountLine{ID: 37, Parent: 35, Minor: 5, Root: []byte("/"), Point: []byte(`/a\040b`), FSType: []byte("tmpfs"), Source: []byte("tmpfs"), Super: []byte("rw")})},
		"all optional fields, and one yet to come": {`38 35 0:6 / / rw shared:2 master:3 propagate_from:2 unbindable idmapped - nfs4 server:/x rw`,
			line(MountLine{ID: 38, Parent: 35, Minor: 6, Root: []byte("/"), Point: []byte("/"), Shared: 2, Master: 3, FSType: []byte("nfs4"), Source: []byte("server:/x"), Super: []byte("rw")})},
		"empty source": {`39 35 0:7 / /x rw - tmpfs  rw,size=1`,
			line(MountLine{ID: 39, Parent: 35, Minor: 7, Root: []byte("/"), Point: []byte("/x"), FSType: []byte("tmpfs"), Source: []byte{}, Super: []byte("rw,size=1")})},
		"the source is a dash": {`39 35 0:7 / /- rw - tmpfs - rw`,
			line(MountLine{ID: 39, Parent: 35, Minor: 7, Root: []byte("/"), Point: []byte("/-"), FSType: []byte("tmpfs"), Source: []byte("-"), Super: []byte("rw")})},
		"a deleted directory": {`40 35 8:1 /gone//deleted /x rw - ext4 /dev/sda1 rw`,
			line(MountLine{ID: 40, Parent: 35, Major: 8, Minor: 1, Root: []byte("/gone//deleted"), Point: []byte("/x"), FSType: []byte("ext4"), Source: []byte("/dev/sda1"), Super: []byte("rw")})},
		"a namespace": {`41 35 0:4 net:[4026532] /run/netns/x rw - nsfs nsfs rw`,
			line(MountLine{ID: 41, Parent: 35, Minor: 4, Root: []byte("net:[4026532]"), Point: []byte("/run/netns/x"), FSType: []byte("nsfs"), Source: []byte("nsfs"), Super: []byte("rw")})},
		"a minor of 20 bits": {`42 35 259:1048575 / /x rw - ext4 /dev/nvme0n1 rw`,
			line(MountLine{ID: 42, Parent: 35, Major: 259, Minor: 1048575, Root: []byte("/"), Point: []byte("/x"), FSType: []byte("ext4"), Source: []byte("/dev/nvme0n1"), Super: []byte("rw")})},
		"no separator":        {`42 35 0:7 / /x rw shared:1`, nil},
		"nothing behind it":   {`42 35 0:7 / /x rw -`, nil},
		"a number that isn't": {`x 35 0:7 / /x rw - tmpfs tmpfs rw`, nil},
		"a huge number":       {`99999999999 35 0:7 / /x rw - tmpfs tmpfs rw`, nil},
		"42 and 2^64":         {`18446744073709551658 35 0:7 / /x rw - tmpfs tmpfs rw`, nil},
		"no device":           {`42 35 07 / /x rw - tmpfs tmpfs rw`, nil},
		"torn":                {`42 35 0`, nil},
		"empty":               {``, nil},
	} {
		var got MountLine
		if ok := parseMountLine([]byte(c.line), &got); ok != (c.want != nil) || ok && !reflect.DeepEqual(&got, c.want) {
			t.Errorf("%s: got %+v, %v", oddity, got, ok)
		}
	}
}

// However reads fall, and however long a line is, the others stand.
func TestMountinfoInPieces(t *testing.T) {
	short, long := `40 35 0:8 / /after rw - xfs /dev/sda1 rw`+"\n", `39 35 0:7 / /`+strings.Repeat("x", 387<<10)+" rw - tmpfs x rw\n"
	fits := `41 35 0:9 / /` + strings.Repeat("y", maxMountLine-40) + " rw - tmpfs x rw\n"
	for _, in := range []string{short + long + fits + long + short, long + long + fits + "\n" + short, strings.Repeat(short, 500) + strings.TrimSuffix(long, "\n"), strings.TrimSuffix(short, "\n"), ""} {
		want, wantSkipped := 0, 0
		for l := range strings.Lines(in) {
			if len(l) > maxMountLine || l == "\n" {
				wantSkipped++
			} else {
				want++
			}
		}
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(in), "by bytes": iotest.OneByteReader(strings.NewReader(in)),
			"halves": iotest.HalfReader(strings.NewReader(in)), "end with the last": iotest.DataErrReader(strings.NewReader(in))} {
			got := 0
			skipped, err := EachMountLine(r, func(*MountLine) { got++ })
			if got != want || skipped != wantSkipped || err != nil {
				t.Errorf("%d bytes, %s: %d lines and %d skipped, want %d and %d; %v", len(in), name, got, skipped, want, wantSkipped, err)
			}
		}
	}
	if _, err := EachMountLine(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(short))), func(*MountLine) {}); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("got %v", err)
	}
}

func TestUnmangle(t *testing.T) {
	for in, want := range map[string]string{`/a\040b\011c\012d\134e\043f`: "/a b\tc\nd\\e#f", `\04`: `\04`, `\0`: `\0`, `\089`: `\089`, `\134040`: `\040`, "": ""} {
		if got := Unmangle([]byte(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func mountsIn(t *testing.T, b []byte) (mounts []Mount, skipped int) {
	skipped, err := EachMountLine(bytes.NewReader(b), func(m *MountLine) { mounts = append(mounts, m.mount()) })
	if err != nil {
		t.Fatal(err)
	}
	return mounts, skipped
}

func TestFSTypeAt(t *testing.T) {
	mounts := []Mount{{"/", "ext4"}, {"/var", "xfs"}, {"/var/lib/kubelet", "nfs4"}, {"/var", "btrfs"}}
	for path, want := range map[string]string{"/": "ext4", "/etc": "ext4", "/var/log": "btrfs", "/variable": "ext4",
		"/var/lib/kubelet": "nfs4", "/var/lib/kubelet/pods": "nfs4"} {
		if got := newMountPoints(mounts).fstypeAt(path); got != want {
			t.Errorf("%s lies on %s, want %s", path, got, want)
		}
	}
	if !Remote("fuse.glusterfs") || !Remote("nfs4") || !Remote("wekafs") || Remote("overlay") || Remote("") || Remote("tmpfs") {
		t.Error("which filesystems are remote?")
	}
	for fstype, want := range map[string]bool{"ext4": true, "overlay": true, "tmpfs": true, "proc": true, "fuse": false, "fuseblk": false,
		"fuse.s3fs": false, "nfs": false, "nfs4": false, "9p": false, "virtiofs": false, "autofs": false, "ocfs2": false, "panfs": false, "": false} {
		if Local(fstype) != want || want && Remote(fstype) {
			t.Errorf("%q: local is %v", fstype, Local(fstype))
		}
	}
}

func FuzzMountinfo(f *testing.F) {
	f.Add([]byte("36 35 98:0 /mnt1 /mnt2\\040 rw master:1 - ext3 /dev/root rw\n"))
	f.Add([]byte("1 1 1 / / rw - \n"))
	f.Add([]byte("39 35 0:7 / /x rw shared:1 unbindable - tmpfs  rw,size=1\n\n40 39 0:8 /x//deleted /y rw - fuse.s x rw"))
	f.Fuzz(func(t *testing.T, b []byte) {
		mounts, skipped := mountsIn(t, b)
		newMountPoints(mounts).fstypeAt(string(b))
		if lines := len(bytes.Split(b, []byte("\n"))); len(mounts)+skipped > lines || len(mounts)+skipped < lines-1 {
			t.Errorf("%d mounts and %d skipped of %d lines", len(mounts), skipped, lines)
		}
	})
}
