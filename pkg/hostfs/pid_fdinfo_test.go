package hostfs

import "testing"

const inotifyInfo = "pos:\t0\nflags:\t02000000\nmnt_id:\t16\nino:\t2057\ninotify wd:1 ino:2b3 sdev:fd00000 mask:3c0 ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:b302000000000000\n"

func TestFDFlags(t *testing.T) {
	if flags, ok := FDFlags([]byte("pos:\t0\nflags:\t0200000\nmnt_id:\t25\n")); flags != 0o200000 || !ok {
		t.Errorf("got %o %v", flags, ok)
	}
	for _, none := range []string{"", "pos:\t0\n", "flags:\t9\n", "flags:\n"} {
		if flags, ok := FDFlags([]byte(none)); ok {
			t.Errorf("%q: got %o", none, flags)
		}
	}
}

func TestFDMount(t *testing.T) {
	if id, ok := FDMount([]byte(inotifyInfo)); id != 16 || !ok {
		t.Errorf("got %d %v", id, ok)
	}
	for _, none := range []string{"", "pos:\t0\nflags:\t02\n", "mnt_id:\t-1\n", "mnt_id:\n", "mnt_id:\t99999999999\n"} {
		if id, ok := FDMount([]byte(none)); ok {
			t.Errorf("%q: got %d", none, id)
		}
	}
}

func FuzzFDInfo(f *testing.F) {
	f.Add([]byte(inotifyInfo))
	f.Add([]byte("flags:\t0200000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if flags, ok := FDFlags(b); !ok && flags != 0 && flags != 1<<64-1 {
			t.Fatalf("flags %o of %q", flags, b)
		}
		if id, ok := FDMount(b); ok && (id < 0 || id > 1<<31-1) {
			t.Fatalf("mount %d of %q", id, b)
		}
		if IsWatch(b) && len(b) < len(watchPrefix) {
			t.Fatalf("%q is no watch", b)
		}
	})
}
