package hostfs

import "testing"

func TestFoldThread(t *testing.T) {
	type want struct {
		pattern, device string
		cut             bool
	}
	for comm, w := range map[string]want{
		"jbd2/vdfiw-8":              {"jbd2/*", "vdfiw", false},
		"jbd2/dm-12-8":              {"jbd2/*", "dm-12", false},
		"jbd2/nvme0n1p1-":           {"jbd2/*", "nvme0n1p1", false}, // cut behind the device
		"jbd2/nvme10n1p1":           {"jbd2/*", "nvme10n1p1", true}, // of nvme10n1p1, p10, p11…
		"jbd2/nvme0n1p1-8":          {"jbd2/*", "nvme0n1p1", false}, // Linux 5.17 and later
		"jbd2/sdb":                  {"jbd2/*", "sdb", false},       // a journal on a device of its own
		"jbd2-ckpt/vdfiw":           {"jbd2-ckpt/*", "vdfiw", true},
		"jbd2-ckpt/sda1":            {"jbd2-ckpt/*", "sda1", false},
		"xfsaild/dm-0":              {"xfsaild/*", "dm-0", false},
		"xfs-conv/sda1":             {"xfs-conv/*", "sda1", false},
		"kworker/R-xfs-buf/sda1":    {"kworker/R-xfs-buf/*", "sda1", false},
		"kworker/R-kdmflush/253:0":  {"kworker/R-kdmflush/*", "253:0", false},
		"kdmflush/253:0":            {"kdmflush/*", "253:0", false},
		"kworker/u4:1-flush-8:0":    {"kworker/*", "", false},
		"kworker/0:1H":              {"kworker/*", "", false},
		"kworker/R-rcu_gp":          {"kworker/R-*", "", false},
		"kworker/R-ext4-rsv-conver": {"kworker/R-ext4-rsv-conver", "", false},
		"ext4-rsv-conver":           {"ext4-rsv-conver", "", false},
		"ksoftirqd/0":               {"ksoftirqd/*", "", false},
		"irq/34-nvme0q1":            {"irq/*", "", false},
		"loop17":                    {"loop*", "loop17", false},
		"md0_raid1":                 {"md*_raid1", "md0", false},
		"f2fs_gc-8:1":               {"f2fs_gc-*", "8:1", false},
		"scsi_eh_10":                {"scsi_eh_*", "", false},
		"kswapd0":                   {"kswapd*", "", false},
		"ipv6_addrconf":             {"ipv6_addrconf", "", false},
		"kthreadd":                  {"kthreadd", "", false},
		"/":                         {"/*", "", false},
		"jbd2/":                     {"jbd2/*", "", false},
		"jbd2/-8":                   {"jbd2/*", "-8", false},
		"":                          {"", "", false},
	} {
		pattern, device, cut := FoldThread(comm)
		if got := (want{pattern, device, cut}); got != w {
			t.Errorf("%q: got %+v, want %+v", comm, got, w)
		}
	}
}

func FuzzFoldThread(f *testing.F) {
	for _, seed := range []string{"jbd2/vdfiw-8", "kworker/R-xfs-buf/sda1", "f2fs_gc-8:1", "md0_raid1", "loop7", "-", "1/2/3", "kworker"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, comm string) {
		pattern, device, cut := FoldThread(comm)
		if len(device) > len(comm) || len(pattern) > len(comm)+1 || cut && device == "" {
			t.Fatalf("%q: %q, %q, %v", comm, pattern, device, cut)
		}
	})
}
