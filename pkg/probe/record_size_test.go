//go:build linux

package probe

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	recorderTree = "NODEDOC_TEST_RECORDER_TREE" // set in the process that records
	crowdSize    = 2200
	rounds       = 5
	// ownMost is the most that a recorder may have of its own, in bytes: of the 32 MiB
	// that are promised the program itself, which lies in memory, has 6.
	ownMost = 26 << 20
)

// hostilePath is a cgroup that somebody in a container has made: as long as the
// kernel lets it be, another one each time, and of bytes that no terminal should see.
func hostilePath(pid, round int) string {
	name := strings.Repeat("\x1b[2J\u202e\\", 20)
	path := fmt.Sprintf("/kubepods/pod%s/%s/%d-%d", uidOf("crowd"), hex64("crowd"), pid, round)
	for len(path)+len(name) < 2000 {
		path += "/" + name
	}
	return path
}

// crowd plants very many processes, each in a cgroup of its own, with command lines
// and names that are as long and odd as can be.
func crowd(t *testing.T) hostfs.FS {
	t.Helper()
	fs := plant(t, nodeToRecord)
	args := filepath.Join(t.TempDir(), "args")
	if err := os.WriteFile(args, bytes.Repeat([]byte("--password=\x1b]0;\xff\xfe\u202e\x00"), 6000), 0o644); err != nil { // more than 100 KiB
		t.Fatal(err)
	}
	for pid := 1000; pid < 1000+crowdSize; pid++ {
		dir := filepath.Join(fs.Proc, strconv.Itoa(pid))
		if err := os.MkdirAll(filepath.Join(dir, "fd"), 0o755); err != nil {
			t.Fatal(err)
		}
		stat := fmt.Sprintf("%d (\x1b[31m) R )) S 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 7 0 %d 4096 %d 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n", pid, pid, pid*100)
		if err := errors.Join(os.WriteFile(filepath.Join(dir, "stat"), []byte(stat), 0o644), os.Link(args, filepath.Join(dir, "cmdline"))); err != nil {
			t.Fatal(err)
		}
	}
	for round := range rounds {
		for pid := 1000; pid < 1000+crowdSize; pid++ {
			text := fmt.Sprintf("4:memory:%[1]s\n3:pids:%[1]s\n", hostilePath(pid, round))
			if err := os.WriteFile(crowdCgroup(fs, pid)+strconv.Itoa(round), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return fs
}

func crowdCgroup(fs hostfs.FS, pid int) string {
	return filepath.Join(fs.Proc, strconv.Itoa(pid), "cgroup")
}

// move puts each process into another cgroup.
func move(t *testing.T, fs hostfs.FS, round int) {
	t.Helper()
	for pid := 1000; pid < 1000+crowdSize; pid++ {
		file := crowdCgroup(fs, pid)
		if err := os.Rename(file+strconv.Itoa(round), file); err != nil {
			t.Fatal(err)
		}
	}
}

// The promise is 32 MiB, on a node of thousands of processes, too, whose users choose
// all names. A process of its own records, as it does on a node.
func TestRecorderStaysSmall(t *testing.T) {
	if dir := os.Getenv(recorderTree); dir != "" {
		recordCrowd(t, dir)
		return
	}
	fs := crowd(t)
	c := exec.Command(os.Args[0], "-test.run=^TestRecorderStaysSmall$", "-test.v")
	c.Env = append(os.Environ(), recorderTree+"="+filepath.Dir(fs.Proc))
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func recordCrowd(t *testing.T, dir string) {
	debug.SetGCPercent(25) // as the probe's main does
	debug.SetMemoryLimit(recorderMemory)
	fs := hostfs.FS{Proc: filepath.Join(dir, "proc"), Sys: filepath.Join(dir, "sys"), Root: filepath.Join(dir, "root")}
	s := session{fs: fs, nonce: nonce, silence: hostfs.NewSilence()}
	rec, err := s.newRecorder(report.Frame{Type: report.FrameRecord, Payload: fmt.Appendf(nil, `{"apiVersion":%q,"kind":%q,"record":{"forSeconds":60,"everyMillis":1000}}`, report.APIVersion, report.RequestKind)})
	if err != nil {
		t.Fatal(err)
	}
	var own ownMemory
	before := own.most(t)
	for round := range rounds {
		move(t, fs, round)
		if round == 0 {
			rec.begin(t.Context())
		} else {
			rec.sample(t.Context(), false)
		}
		if rec.bytes > ringBytes || len(rec.cgroups) > maxRecordedCgroups+ownersPerSample || len(rec.processes) > maxRecordedProcesses+processesPerSample {
			t.Fatalf("after %d samples: %d bytes, %d cgroups, %d processes", round, rec.bytes, len(rec.cgroups), len(rec.processes))
		}
		t.Logf("%d: %d KiB of its own, ring %d KiB, %d cgroups", round, own.most(t)>>10, rec.bytes>>10, len(rec.cgroups))
	}
	f := rec.frame(goesOn)
	if rec.missed > 0 || len(rec.samples) == 0 {
		t.Errorf("missed %d, %s", rec.missed, rec.lastMiss)
	}
	if most := own.most(t); most > ownMost {
		t.Errorf("it has %d KiB of its own, %d before it began; the answer has %d KiB", most>>10, before>>10, len(f.Payload)>>10)
	}
}

// ownMemory is what this process has had at most beside its program's file.
type ownMemory struct{ file int }

// most is in bytes: VmHWM less RssFile of /proc/self/status, the largest seen, since
// the kernel takes such pages back when it needs memory, and VmHWM still has them.
func (o *ownMemory) most(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	most := 0
	hostfs.EachAmount(b, func(name []byte, n uint64) {
		switch string(name) {
		case "VmHWM":
			most = int(n)
		case "RssFile":
			o.file = max(o.file, int(n))
		}
	})
	return most - o.file
}
