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

func FuzzFDInfo(f *testing.F) {
	f.Add([]byte(inotifyInfo))
	f.Add([]byte("flags:\t0200000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if flags, ok := FDFlags(b); !ok && flags != 0 && flags != 1<<64-1 {
			t.Fatalf("flags %o of %q", flags, b)
		}
		if IsWatch(b) && len(b) < len(watchPrefix) {
			t.Fatalf("%q is no watch", b)
		}
	})
}
