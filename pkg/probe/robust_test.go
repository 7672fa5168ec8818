//go:build linux

package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// release lets go whoever waits in open of a FIFO, when the test is over.
func release(t *testing.T, fifo string) {
	t.Helper()
	t.Cleanup(func() {
		if f, err := os.OpenFile(fifo, os.O_RDWR|syscall.O_NONBLOCK, 0); err == nil {
			f.Close()
		}
	})
}

func collect(t *testing.T, fs hostfs.FS, req report.Request) *report.NodeReport {
	t.Helper()
	r, err := Collect(t.Context(), fs, "v9", req)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCollectorThatHangsNeverPublishes(t *testing.T) {
	hang, published := make(chan struct{}), false
	c := collector{"stuck", 20 * time.Millisecond, func(context.Context, run) (publish, error) {
		<-hang // as in the kernel: no context reaches there
		return func(*run) { published = true }, nil
	}}
	err := c.runInto(t.Context(), &run{silence: hostfs.NewSilence()})
	if err == nil || err.Error() != "gave up after 20ms" {
		t.Errorf("got %v", err)
	}
	close(hang)
	time.Sleep(10 * time.Millisecond)
	if published {
		t.Error("it changed the report after its deadline")
	}
}

func TestCollectorThatFailsStillPublishes(t *testing.T) {
	r := run{silence: hostfs.NewSilence(), report: &report.NodeReport{}}
	c := collector{"half", time.Minute, func(context.Context, run) (publish, error) {
		return func(r *run) { r.report.Node.Hostname = "n" }, errors.New("half")
	}}
	if err := c.runInto(t.Context(), &r); err == nil || r.report.Node.Hostname != "n" {
		t.Errorf("got %v, %+v", err, r.report.Node)
	}
}

// A read that never returns costs its own section, and the others stand.
func TestHangingReadCostsItsSectionOnly(t *testing.T) {
	t.Parallel()
	fs := plant(t, smallNode+"-- proc/sys/fs/file-nr (fifo) --\n")
	release(t, filepath.Join(fs.Proc, "sys/fs/file-nr"))
	r := collect(t, fs, report.NewRequest(report.CollectOpenFiles, report.CollectProcesses, report.CollectContainers))
	want := []report.Unreadable{{What: "openFiles", Cause: "gave up after 5s"}}
	if !slices.Equal(r.Probe.Failed, want) || r.OpenFiles != nil {
		t.Errorf("failed %+v, open files %+v", r.Probe.Failed, r.OpenFiles)
	}
	if r.Node.Hostname != "small" || len(r.Processes.List) != 1 || r.Containers == nil {
		t.Errorf("the rest is %+v", r)
	}
}

// A FIFO where a state file should be: its writer, waiting for a reader, must
// not wake. It would, and be killed by SIGPIPE, if the probe opened it.
func TestFIFOIsNotOpened(t *testing.T) {
	fs := plant(t, smallNode+"-- root/run/containerd/io.containerd.runtime.v2.task/k8s.io/{id:x}/config.json (fifo) --\n")
	fifo := filepath.Join(fs.Root, "run/containerd/io.containerd.runtime.v2.task/k8s.io", hex64("x"), "config.json")
	woken := make(chan struct{})
	go func() {
		if f, err := os.OpenFile(fifo, os.O_WRONLY, 0); err == nil {
			f.Close()
		}
		close(woken)
	}()
	time.Sleep(50 * time.Millisecond) // until it waits; if it does not yet, the test proves less
	r := collect(t, fs, report.NewRequest(report.CollectContainers))
	if len(r.Containers.Unreadable) != 1 || r.Containers.Unreadable[0].Cause != "not a regular file" {
		t.Errorf("unreadable %+v", r.Containers.Unreadable)
	}
	select {
	case <-woken:
		t.Error("the writer was woken")
	case <-time.After(50 * time.Millisecond):
	}
	release(t, fifo)
}

func TestTallyIsBoundedSortedAndDropsNothingSilently(t *testing.T) {
	u := unreadable{}
	for i := range 200 {
		u.add(fmt.Sprintf("file-%03d", 199-i), os.ErrPermission)
	}
	u.add("file-199", os.ErrPermission)
	list := u.list()
	total := 0
	for _, e := range list {
		total += e.Count
	}
	if len(list) != 65 || total != 201 {
		t.Errorf("%d entries for %d failures", len(list), total)
	}
	if list[64].What != "others" || list[64].Count != 136 || list[63].What != "file-199" || list[63].Count != 2 {
		t.Errorf("last are %+v", list[63:])
	}
	if !slices.IsSortedFunc(list, func(a, b report.Unreadable) int { return strings.Compare(a.What, b.What) }) {
		t.Errorf("not sorted: %+v", list)
	}
}

// Of a process with more descriptors than the budget, the first are looked at:
// it is the one that the report is about.
func TestHeaviestIsClassifiedBeyondTheBudget(t *testing.T) {
	fs := plant(t, smallNode+`
-- proc/7 (process) --
comm heavy
cgroup /a
fd 0..99 socket:[{n}]
-- proc/8 (process) --
comm light
cgroup /b
fd 0..49 pipe:[{n}]
-- proc/9 (process) --
comm asked
cgroup /c
fd 0..2 pipe:[{n}]
`)
	proc, err := hostfs.OpenProc(fs)
	if err != nil {
		t.Fatal(err)
	}
	defer proc.Close()
	tb := newTable(run{fs: fs, first: &fdSample{}, req: report.Request{FDs: true, PIDs: []int{9}}}, proc, proc)
	if err := tb.readAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	tb.classify(t.Context(), 60)
	tb.sockets.explain(t.Context(), tb.eachUserPID)
	tb.sockets.fill(tb)
	kinds := map[string]string{}
	for _, p := range tb.out.List {
		kinds[p.Comm] = fmt.Sprint(p.FDs.Count, p.FDs.Kinds)
	}
	want := map[string]string{"heavy": "100 [{socket 60}]", "light": "50 []", "asked": "3 [{pipe 3}]", "systemd": "10 []"}
	for comm, k := range want {
		if kinds[comm] != k {
			t.Errorf("%s: got %s, want %s", comm, kinds[comm], k)
		}
	}
	if list := tb.bad.list(); len(list) != 1 || list[0].Cause != errTooMany.Error() {
		t.Errorf("the cut is not said: %+v", list)
	}
}

func TestTargetsHaveOneOrder(t *testing.T) {
	targets := map[report.Target]int{}
	for i := range 50 {
		targets[report.Target{Kind: fmt.Sprintf("k%02d", i), Pattern: "other"}] = 1
	}
	sum := links{targets: targets}
	want := fmt.Sprint(sum.topTargets(maxTargets))
	for range 20 {
		if got := fmt.Sprint(sum.topTargets(maxTargets)); got != want {
			t.Fatalf("got %s, then %s", want, got)
		}
	}
}

func TestAskedTwiceMissingOnceAndUnreadableIsNotMissing(t *testing.T) {
	fs := plant(t, smallNode+"-- proc/6/status --\nTgid:\t6\n-- proc/6/stat (dir) --\n")
	req := report.NewRequest(report.CollectProcesses)
	req.PIDs = []int{1, 1, 5, 6, 5, -1, 0, 1 << 40}
	r := collect(t, fs, req)
	if !slices.Equal(r.Processes.Missing, []int{-1, 0, 5, 1 << 40}) {
		t.Errorf("missing %v", r.Processes.Missing)
	}
	if len(r.Processes.Unreadable) != 1 || r.Processes.Unreadable[0].What != "/proc/PID/stat" {
		t.Errorf("unreadable %+v", r.Processes.Unreadable)
	}
}

func TestUnreadableMountsAreSaid(t *testing.T) {
	fs := plant(t, smallNode+"-- proc/1/mountinfo (absent) --\n-- proc/1/mountinfo (dir) --\n")
	r := collect(t, fs, report.NewRequest(report.CollectContainers))
	want := report.Unreadable{What: "/proc/PID/mountinfo", Cause: "is a directory", Count: 1}
	if len(r.Containers.Unreadable) != 1 || r.Containers.Unreadable[0] != want {
		t.Errorf("got %+v", r.Containers.Unreadable)
	}
}

func TestAbsentProcAndRoot(t *testing.T) {
	fs := hostfs.FS{Proc: filepath.Join(t.TempDir(), "none"), Root: filepath.Join(t.TempDir(), "none")}
	r := collect(t, fs, report.NewRequest(report.CollectOpenFiles, report.CollectProcesses, report.CollectContainers))
	if len(r.Probe.Failed) != 4 || r.Processes != nil || r.Containers != nil {
		b, _ := json.Marshal(r)
		t.Errorf("got %s", b)
	}
}

func TestRootPID(t *testing.T) {
	for root, want := range map[string]int{
		"/proc/1/root": 1, "/proc/412/root": 412, "/proc/412/root/": 412,
		"/": 1, "": 1, "/mnt/412/root": 1, "/proc/412/cwd": 1, "/proc/self/root": 1,
	} {
		if got := rootPID(hostfs.FS{Proc: "/proc", Root: root}); got != want {
			t.Errorf("%q: got %d, want %d", root, got, want)
		}
	}
}

// PID 1's root is refused: then the kubelet's, and no pod's that calls itself so.
func TestFindRootFallsBackToTheHostsKubelet(t *testing.T) {
	fs := plant(t, smallNode+`
-- proc/50 (process) --
comm kubelet
cgroup /kubepods.slice/kubepods-podx.slice/cri-containerd-{id:evil}.scope
-- proc/50/root (dir) --
-- proc/51 (process) --
comm kubelet
cgroup /../../pod{uid:evil}/{id:evil}
-- proc/51/root (dir) --
-- proc/52 (process) --
comm kubelet
cgroup /system.slice/kubelet.service
-- proc/53 (process) --
comm kubelet
cgroup /docker/{id:kind}/kubelet.slice/kubelet.service
-- proc/53/root (dir) --
`)
	got, err := FindRoot(fs.Proc)
	if want := filepath.Join(fs.Proc, "53/root"); err != nil || got != want {
		t.Errorf("got %q %v, want %q", got, err, want)
	}
	_, err = FindRoot(plant(t, smallNode).Proc)
	if err == nil || !strings.Contains(err.Error(), "no such file or directory; no kubelet to try instead") {
		t.Errorf("got %v", err)
	}
}

func TestDockerDirs(t *testing.T) {
	for args, want := range map[string]string{
		"dockerd -H fd://":                           "",
		"dockerd --data-root /data":                  "/data/containers",
		"dockerd --data-root=/data --debug":          "/data/containers",
		"dockerd-current -g /a/../b":                 "/b/containers",
		"dockerd --graph /g -g /h":                   "/g/containers /h/containers",
		"dockerd --data-root":                        "",
		"dockerd --data-root=":                       "",
		"dockerd --log-opt --data-rooted=/elsewhere": "",
	} {
		if got := strings.Join(dockerDirs(strings.Fields(args)), " "); got != want {
			t.Errorf("%s: got %q, want %q", args, got, want)
		}
	}
}

// Whatever is in a process's files, the report is made, bounded and plain.
func FuzzProcessFiles(f *testing.F) {
	f.Add([]byte("7 (a) R 1 () S 1 7 7 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 5 0 1"), []byte("Tgid:\t7\nUid:\t0\t0\t0\t0\n"), []byte("0::/a\n"), []byte("a\x00b\x00"))
	f.Add([]byte("7 (containerd-shim) S 1 7 7 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 5 0 1"), []byte("Tgid:\t1\n"), []byte("0::/system.slice/x\n"), []byte("containerd-shim\x00-id\x00\xff\x00-bundle\x00/x\x00"))
	f.Add([]byte{}, []byte("Tgid:\t-1\n"), []byte(":::\n"), []byte{0, 0x1b})
	fs := plant(f, smallNode+"-- proc/7/fd/0 -> /dev/null --\n")
	f.Fuzz(func(t *testing.T, stat, status, cgroup, cmdline []byte) {
		tr := tree{t: t, dir: filepath.Dir(fs.Proc)}
		for name, b := range map[string][]byte{"stat": stat, "status": status, "cgroup": cgroup, "cmdline": cmdline} {
			tr.write("proc/7/"+name, string(b))
		}
		req := report.NewRequest(report.CollectProcesses)
		req.PIDs, req.FDs = []int{7}, true
		r := collect(t, fs, req)
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		checkPlain(t, b)
		if err := report.UnmarshalUntrusted(b, &report.NodeReport{}); err != nil {
			t.Fatalf("the client refuses it: %v", err)
		}
	})
}
