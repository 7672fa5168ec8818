package hostfs

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func all(string, string) bool { return true }

func TestUnitFileOddities(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		want    []UnitSetting
	}{
		"comments and blanks":         {"# a\n; b\n\n[Unit]\n Description = x y \n", []UnitSetting{{"Unit", "Description", "x y"}}},
		"a reset":                     {"[Timer]\nOnCalendar=\n", []UnitSetting{{"Timer", "OnCalendar", ""}}},
		"continued, comment between":  {"[Unit]\nA=b \\\n# no\nc\n", []UnitSetting{{"Unit", "A", "b  c"}}},
		"an equals sign in the value": {"[Service]\nEnvironment=A=b\n", []UnitSetting{{"Service", "Environment", "A=b"}}},
		"carriage returns":            {"[Unit]\r\nA=b\r\n", []UnitSetting{{"Unit", "A", "b"}}},
		"two backslashes at the end":  {"[Service]\nEnvironment=A=b\\\\\nUser=x\n", []UnitSetting{{"Service", "Environment", `A=b\\`}, {"Service", "User", "x"}}},
		"continued to the end":        {"[Unit]\nA=b \\\nc \\", []UnitSetting{{"Unit", "A", "b  c"}}},
		"continued by a blank line":   {"[Unit]\nA=b \\\n\nB=c\n", []UnitSetting{{"Unit", "A", "b"}, {"Unit", "B", "c"}}},
		"a comment at the end":        {"[Unit]\nA=b \\\n# C=d", []UnitSetting{{"Unit", "A", "b"}}},
		"a byte order mark":           {"\xef\xbb\xbf[Unit]\nA=b\n", []UnitSetting{{"Unit", "A", "b"}}},
		"no section, no key":          {"A=b\nnonsense\n", []UnitSetting{{"", "A", "b"}}},
	} {
		if got := ParseUnitFile([]byte(c.content), all); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestDropInDirs(t *testing.T) {
	for name, want := range map[string]string{
		"foo.service":            "foo.service.d service.d",
		"foo-bar.service":        "foo-bar.service.d foo-.service.d service.d",
		"foo-bar@x-y.service":    "foo-bar@x-y.service.d foo-bar@.service.d foo-@.service.d foo-.service.d service.d",
		"a-b-c.slice":            "a-b-c.slice.d a-b-.slice.d a-.slice.d slice.d",
		"getty@tty1.service":     "getty@tty1.service.d getty@.service.d service.d",
		"nothing":                "nothing.d",
		`backup\x2dx.service`:    `backup\x2dx.service.d service.d`,
		"user@1000.service":      "user@1000.service.d user@.service.d service.d",
		"plocate-updatedb.timer": "plocate-updatedb.timer.d plocate-.timer.d timer.d",
	} {
		if got := strings.Join(DropInDirs(name), " "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

func TestCrontabOddities(t *testing.T) {
	for name, c := range map[string]struct {
		line     string
		withUser bool
		want     CronLine
	}{
		"system":                   {"25 6\t* * *  root  run-parts /etc/cron.daily", true, CronLine{Line: 1, Schedule: "25 6 * * *", User: "root", Command: "run-parts /etc/cron.daily"}},
		"a user's":                 {"*/5 * * * * root x", false, CronLine{Line: 1, Schedule: "*/5 * * * *", Command: "root x"}},
		"nickname":                 {"  @daily alice x", true, CronLine{Line: 1, Schedule: "@daily", User: "alice", Command: "x"}},
		"input behind percent":     {"@reboot mail %hello%there", false, CronLine{Line: 1, Schedule: "@reboot", Command: "mail", Whole: "mail %hello%there"}},
		"escaped percent":          {`1 2 3 4 5 date +\%F % x`, false, CronLine{Line: 1, Schedule: "1 2 3 4 5", Command: "date +%F", Whole: `date +\%F % x`}},
		"cronie's minus and tilde": {"-0~30 * * * * root x", true, CronLine{Line: 1, Schedule: "0~30 * * * *", User: "root", Command: "x"}},
		"cronie's zone":            {"CRON_TZ = 'Asia/Tokyo'\n1 2 3 4 5 x", false, CronLine{Line: 2, Schedule: "1 2 3 4 5", Command: "x", Zone: "Asia/Tokyo"}},
		"names, steps and ranges":  {"*/15,7-9/2 22-5 L JAN-mar,12 Mon-Fri root x", true, CronLine{Line: 1, Schedule: "*/15,7-9/2 22-5 L JAN-mar,12 Mon-Fri", User: "root", Command: "x"}},
		"a zone that was reset":    {"CRON_TZ=Asia/Tokyo\nCRON_TZ=\"\"\n1 2 3 4 5 x", false, CronLine{Line: 3, Schedule: "1 2 3 4 5", Command: "x"}},
		"a variable for the job":   {"@reboot root A=b c", true, CronLine{Line: 1, Schedule: "@reboot", User: "root", Command: "A=b c"}},
		"carriage returns":         {"# a\r\n5 * * * *\troot\tx\r\n", true, CronLine{Line: 2, Schedule: "5 * * * *", User: "root", Command: "x"}},
		"no newline at the end":    {"0 0 * * 7 root x", true, CronLine{Line: 1, Schedule: "0 0 * * 7", User: "root", Command: "x"}},
		"settings and comments":    {"SHELL=/bin/sh\n# 1 2 3 4 5 no\n\"A B\" = c\n@hourly x", false, CronLine{Line: 4, Schedule: "@hourly", Command: "x"}},
	} {
		got := ParseCrontab([]byte(c.line), c.withUser)
		if len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
	for _, line := range []string{"1 2 3 4 5", "@daily", "* * *", "1 2 3 4 5 root", "", "#", "A=1 2 3 4 5 6"} {
		if got := ParseCrontab([]byte(line), true); len(got) > 0 {
			t.Errorf("%q: got %+v", line, got)
		}
	}
}

func TestCronFileNames(t *testing.T) {
	for name, takes := range map[string][2]bool{ // Debian's, cronie
		"e2scrub_all": {true, true}, "0hourly": {true, true}, "x.conf": {false, true}, "x.rpmsave": {false, false},
		"x~": {false, false}, ".placeholder": {false, false}, "": {false, false}, "a b": {false, true},
	} {
		if got := [2]bool{LSBCronName(name), CronieCronName(name)}; got != takes {
			t.Errorf("%q: got %v, want %v", name, got, takes)
		}
	}
}

func TestDeviceOfAThread(t *testing.T) {
	for _, c := range []struct {
		comm, device, number string
		match, cut           bool
	}{
		{"jbd2/vdfiw-8", "vdfiw", "252:1", true, false},
		{"jbd2/vdfiw-8", "vdfi", "252:1", false, true},
		{"jbd2/dm-0-8", "dm-0", "253:0", true, false},
		{"jbd2/sdb1", "sdb1", "8:17", true, false},
		{"jbd2/dm-0", "dm-0", "253:0", true, false},
		{"dio/vdfiw", "vdfiw", "252:1", true, false},
		{"xfs-eofblocks/d", "dm-12", "253:12", true, true}, // of 3.10
		{"md_home_raid1", "md_home", "9:127", true, false},
		{"jbd2/nvme0n1p1-", "nvme0n1p1", "259:1", true, false},
		{"jbd2/nvme10n1p1", "nvme10n1p12", "259:2", true, true},
		{"jbd2/nvme10n1p1", "nvme10n1p1", "259:1", true, true},
		{"jbd2/nvme10n1p12-8", "nvme10n1p1", "259:1", false, true}, // Linux 5.17 cuts no more
		{"jbd2/cciss!c0d0", "cciss/c0d0", "104:0", true, true},
		{"jbd2-ckpt/vdfiw", "vdfiw", "252:1", true, false},
		{"jbd2-ckpt/vdfiw", "vdfiwx", "252:2", true, true},
		{"xfsaild/sda1", "sda1", "8:1", true, false},
		{"kworker/R-xfs-buf/sda1", "sda1", "8:1", true, false},
		{"loop0", "loop0", "7:0", true, false},
		{"loop0", "loop01", "7:1", false, false},
		{"kworker/R-loop0", "loop0", "7:0", true, false},
		{"kdmflush/253:0", "dm-0", "253:0", true, false},
		{"kdmflush", "dm-0", "253:0", false, false},
		{"md0_raid1", "md0", "9:0", true, false},
		{"f2fs_gc-8:1", "sda1", "8:1", true, false},
		{"kworker/u4:1-flush-8:0", "sda", "8:0", true, false},
		{"kworker/0:1H-kblockd", "sda", "8:0", false, false},
		{"irq/34-nvme0q1", "nvme0n1", "259:0", true, false},
		{"irq/34-nvme0q1", "nvme01n1", "259:9", false, false},
		{"ext4-rsv-conver", "sda1", "8:1", false, false},
		{"", "", "", false, false},
	} {
		found := NewDeviceIndex([]BlockDevice{{Name: c.device, Number: c.number}}).Of(c.comm)
		if match := len(found) == 1; match != c.match || match && found[0].Guessed != c.cut {
			t.Errorf("%q, %q: got %v", c.comm, c.device, found)
		}
	}
}

func TestEachMountLineLeavesOutAHugeOne(t *testing.T) {
	content := "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n" + "2 1 0:9 /" + strings.Repeat("x", 400<<10) + " /y rw - tmpfs t rw\n" + "torn\n" +
		`3 1 8:2 /a\040b /m\134n rw shared:1 master:2 - xfs /dev/sd\040b rw` // no newline at the end
	var got []string
	skipped, err := EachMountLine(strings.NewReader(content), func(m *MountLine) {
		got = append(got, DeviceNumber(m.Major, m.Minor), Unmangle(m.Root), m.mount().Point, m.mount().FSType, Unmangle(m.Source))
	})
	want := []string{"8:1", "/", "/", "ext4", "/dev/sda1", "8:2", "/a b", `/m\n`, "xfs", "/dev/sd b"}
	if err != nil || skipped != 2 || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %d skipped, %v", got, skipped, err)
	}
}

// An absolute link starts at the node's root, and none leads out of it.
func TestResolveStaysInside(t *testing.T) {
	dir := t.TempDir()
	for name, target := range map[string]string{
		"lib": "usr/lib", "usr/lib/abs": "/usr/lib/real", "usr/lib/up": "../../../../../etc/passwd", "loop": "loop", "usr/lib/out": "/../../etc/shadow", "usr/lib/chain": "abs",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
	root, err := OpenRoot(FS{Root: dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for name, want := range map[string]string{
		"/lib/abs": "/usr/lib/real", "/lib/chain": "/usr/lib/real", "/lib/up": "/etc/passwd", "/lib/out": "/etc/shadow", "/nothing/here": "/nothing/here", "/": "/",
	} {
		if got, err := root.Resolve(name); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, want)
		}
	}
	if _, err := root.Resolve("/loop/x"); err == nil {
		t.Error("a loop has no end")
	}
	if _, _, err := root.ReadLinked("/lib/up", 10); !os.IsNotExist(err) {
		t.Errorf("got %v, want that the node has no such file", err)
	}
}

func TestIDMaps(t *testing.T) {
	got := ParseIDMaps([]byte("         0     100000      65536\n     65536          5          1\ntorn\n1 x 2\n"))
	if want := []IDMap{{0, 100000, 65536}, {65536, 5, 1}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

// FuzzBackground: whatever stands in these files, nothing panics, and a list has
// no more than a line each.
func FuzzBackground(f *testing.F) {
	f.Add([]byte("[Timer]\nOnCalendar=daily\nUnit=a@b.service\n"), "jbd2/vdfiw-8")
	f.Add([]byte("25 6 * * * root run-parts \\% % x\n@daily x\nCRON_TZ=a\n"), "kworker/R-xfs-buf/sda1")
	f.Add([]byte("\xef\xbb\xbf[Unit]\nA=b\\\\\nC=d \\\n#x\n \\"), "lxc@.service")
	f.Add([]byte("*/15,7-9/2 22-5 L JAN-mar Mon root a % b \\% c\r\n@reboot root A=b c"), "x")
	f.Add([]byte("1 5 cron.daily nice run-parts /etc/cron.daily\n"), "irq/1-nvme0q1")
	f.Add([]byte("36 35 98:0 / /x rw - ext4 /dev/root rw\n0 1 2\nCapEff: 00ff\nA=\"b\"\n"), "a@.b-c.d")
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		lines := bytes.Count(b, []byte("\n")) + 1
		if n := len(ParseUnitFile(b, all)); n > lines {
			t.Errorf("%d settings in %d lines", n, lines)
		}
		if n := len(ParseCrontab(b, true)) + len(ParseAnacrontab(b)); n > 2*lines {
			t.Errorf("%d jobs in %d lines", n, lines)
		}
		mounts := 0
		if _, err := EachMountLine(bytes.NewReader(b), func(*MountLine) { mounts++ }); err != nil || mounts > lines {
			t.Errorf("%d mounts in %d lines, %v", mounts, lines, err)
		}
		ParseIDMaps(b)
		ParseSecurity(b)
		KeyValues(b)
		DropInDirs(name)
		UnitTemplate(name)
		ThreadFSType(name)
		NamespaceInode(name)
		index := NewDeviceIndex([]BlockDevice{{Name: string(b), Number: "8:0"}, {Name: "vdfiw", Number: "8:1"}, {Name: "vdfiwx", Number: "8:2"}})
		for i, of := range index.Of(name) {
			if i == 3 || name == "" {
				t.Errorf("%q is no device's", name)
			}
			if d := index.devices[of.Device]; d.Name != "" && !strings.Contains(name, d.Number) && !of.Guessed && !of.Shared && !strings.Contains(name, toSysName(d.Name)) {
				t.Errorf("%q is not of %+v", name, d)
			}
		}
	})
}
