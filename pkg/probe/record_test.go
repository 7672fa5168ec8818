//go:build linux

package probe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// nodeToRecord has a pod's container, a unit, and processes of neither. The unit's
// cgroup is above another one; the root's memory is the node's.
const nodeToRecord = `
-- proc/uptime --
100.00 1.00
-- proc/loadavg --
0.50 0.18 0.12 1/80 11206
-- proc/vmstat --
nr_free_pages 1
oom_kill 3
-- proc/meminfo --
MemTotal:       4000000 kB
MemFree:         100000 kB
MemAvailable:   3000000 kB
SUnreclaim:       20000 kB
PageTables:        5000 kB
-- proc/pressure/memory --
some avg10=1.25 avg60=0.10 avg300=0.05 total=1234
-- proc/sys/fs/file-nr --
1000	0	100000
-- proc/sys/fs/file-max --
100000
-- proc/sys/kernel/pid_max --
32768
-- proc/sys/kernel/threads-max --
60000
-- proc/sys/kernel/hostname --
small
-- proc/1/mountinfo --
30 1 8:1 / / rw - ext4 /dev/sda1 rw
31 30 0:33 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
-- proc/2 (process) --
comm kthreadd
parent 0
kernel
-- proc/1 (process) --
comm systemd
parent 0
cgroup v1 /
args /sbin/init
fd 0..9 /dev/null
-- proc/17 (process) --
comm java
parent 1
cgroup v1 /kubepods/burstable/pod{uid:shop}/{id:app}
args java -Dpassword=hunter2 -jar app.jar
fd 0..41 /dev/null
-- proc/30 (process) --
comm evil\n\x1b[31m
parent 1
cgroup v1 /system.slice/cron.service
args updatedb
fd 0..2 /dev/null
-- proc/31 (process) --
comm worker
parent 30
cgroup v1 /system.slice/cron.service/below
args worker
fd 0..2 /dev/null
-- root/sys/fs/cgroup/memory/memory.usage_in_bytes --
900000000
-- root/sys/fs/cgroup/memory/memory.stat --
total_inactive_file 100000000
-- root/sys/fs/cgroup/memory/kubepods/burstable/pod{uid:shop}/{id:app}/memory.usage_in_bytes --
500000000
-- root/sys/fs/cgroup/memory/kubepods/burstable/pod{uid:shop}/{id:app}/memory.stat --
total_inactive_file 100000000
-- root/sys/fs/cgroup/memory/system.slice/cron.service/memory.usage_in_bytes --
700000000
-- root/sys/fs/cgroup/memory/system.slice/cron.service/below/memory.usage_in_bytes --
1048576
-- root/run/containerd/io.containerd.runtime.v2.task/k8s.io/{id:app}/config.json --
{"annotations":{"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.container-name":"app","io.kubernetes.cri.sandbox-uid":"{uid:shop}","io.kubernetes.cri.sandbox-name":"shop-1","io.kubernetes.cri.sandbox-namespace":"prod"}}
`

// recording is a session that records; all it wrote is in heard.
type recording struct {
	*client
	heard bytes.Buffer
}

func startRecording(t *testing.T, fs hostfs.FS, seconds int) *recording {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	r := &recording{client: &client{t: t, in: inW, out: outR, done: make(chan error, 1)}}
	r.read = report.NewFrameReader(io.TeeReader(outR, &r.heard), nonce)
	go func() {
		r.done <- Serve(t.Context(), inR, outW, nonce, "v9", fs)
		outW.Close()
	}()
	t.Cleanup(func() {
		inW.Close()
		outR.Close()
	})
	r.expect(report.FrameHello)
	r.send(report.FrameRecord, fmt.Appendf(nil, `{"apiVersion":%q,"kind":%q,"record":{"forSeconds":%d,"everyMillis":1000}}`, report.APIVersion, report.RequestKind, seconds))
	return r
}

func (r *recording) expectRecording() *report.NodeReport {
	r.t.Helper()
	got, err := report.DecodeReport(r.expect(report.FrameReport).Payload)
	if err != nil || got.Recording == nil {
		r.t.Fatalf("got %+v %v", got, err)
	}
	return got
}

func (r *recording) ask(replyTo string) {
	r.t.Helper()
	req := report.NewRequest()
	req.ReplyTo = replyTo
	b, err := json.Marshal(req)
	if err != nil {
		r.t.Fatal(err)
	}
	r.send(report.FrameRequest, b)
}

// Neither an acknowledgement nor the end of stdin ends a recorder, nor what a killed
// client has left. It ends by itself, with the recording as its last word.
func TestRecorderOutlivesItsClients(t *testing.T) {
	r := startRecording(t, plant(t, nodeToRecord), 3)
	if begun := r.expectRecording(); len(begun.Recording.Samples) != 0 || begun.Recording.Ended || begun.Recording.EveryMillis != 1000 {
		t.Errorf("begun with %+v", begun.Recording)
	}
	r.send(report.FrameAck, nil)
	r.raw("NODEDOC1 request n0nce 12 beef\nAAAA") // killed within a message
	r.raw("\n")
	r.ask("no nonce\n")
	r.ask("ab12")
	r.in.Close()
	told := r.expectRecording() // unasked, as nobody can ask any more
	if told.Recording.Ended || len(told.Recording.Samples) == 0 {
		t.Errorf("told %+v", told.Recording)
	}
	last := r.expectRecording()
	for !last.Recording.Ended {
		last = r.expectRecording()
	}
	if err := <-r.done; err != nil {
		t.Errorf("ended with %v", err)
	}
	answers := report.NewFrameReader(&r.heard, "ab12")
	f, err := answers.Next()
	if err != nil || f.Type != report.FrameReport {
		t.Fatalf("no answer to ab12: %q %v", f.Type, err)
	}
	if n := strings.Count(r.heard.String(), "no nonce"); n != 0 {
		t.Error("answered to what is no nonce")
	}
}

func TestRecorderSees(t *testing.T) {
	r := startRecording(t, plant(t, nodeToRecord), 1)
	r.expectRecording()
	got := r.expectRecording()
	samples, err := report.UnpackSamples(got.Recording.Samples, len(got.Processes.Cgroups), len(got.Processes.List))
	if err != nil || len(samples) < 2 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	s := samples[0]
	for total, want := range map[report.Total]int64{
		report.TotalAvailable: 3000000 << 10, report.TotalFree: 100000 << 10, report.TotalKernel: 25000 << 10, report.TotalSwapUsed: report.Unknown,
		report.TotalWorkingSet: 800000000, report.TotalFiles: 1000, report.TotalTasks: 80, report.TotalProcesses: 5, report.TotalLoad: 50,
		report.TotalPressure: 125, report.TotalOOMKills: 3, report.TotalMounts: 2, report.TotalUnread: 0,
	} {
		if s.Totals[total] != want {
			t.Errorf("total %d is %d, want %d", total, s.Totals[total], want)
		}
	}
	owners := map[string]report.SampleOwner{}
	for _, o := range s.Owners {
		path := ""
		if o.Cgroup != report.KernelCgroup {
			path = got.Processes.Cgroups[o.Cgroup].Entries[0].Path
		}
		o.Cgroup = 0
		owners[path] = o
	}
	app := "/kubepods/burstable/pod" + uidOf("shop") + "/" + hex64("app")
	if o := owners[app]; o.Memory != 400000000>>10<<10 || o.FDs != 42 || o.Tasks != 1 {
		t.Errorf("app has %+v", o)
	}
	if o := owners["/system.slice/cron.service/below"]; o.Memory != 1048576 {
		t.Errorf("below has %+v", o)
	}
	// What a cgroup counts for those below it is theirs.
	if o := owners["/system.slice/cron.service"]; o.Memory >= 700000000 || o.FDs != 3 {
		t.Errorf("cron.service has %+v", o)
	}
	if o := owners[""]; o.Tasks != 1 || o.Memory != 0 {
		t.Errorf("the kernel has %+v", o)
	}
	if rec := got.Recording; rec.MemTotal != 4000000<<10 || rec.FileMax != 100000 || rec.TasksMax != 32768 || !rec.Ended || len(rec.FromProcesses) != 2 {
		t.Errorf("recording %+v", rec)
	}
	if c := got.Containers.List; len(c) != 1 || c[0].PodName != "shop-1" || c[0].Name != "app" {
		t.Errorf("containers %+v", c)
	}
	for _, p := range got.Processes.List {
		if strings.Contains(p.Cmdline, "hunter2") || strings.ContainsAny(p.Comm, "\n\x1b") {
			t.Errorf("a secret or raw text in %+v", p)
		}
	}
	if len(got.Processes.List) != 4 || got.Node.Hostname != "small" || got.Probe.Version != "v9" {
		t.Errorf("got %+v", got.Processes.List)
	}
}

func TestRecorderRefuses(t *testing.T) {
	for name, record := range map[string]string{
		"no time":           `{"everyMillis":1000}`,
		"oftener than 1s":   `{"forSeconds":10,"everyMillis":999}`,
		"nothing to record": `null`,
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t.Context(), t, plant(t, smallNode))
			c.expect(report.FrameHello)
			c.send(report.FrameRecord, fmt.Appendf(nil, `{"apiVersion":%q,"kind":%q,"record":%s}`, report.APIVersion, report.RequestKind, record))
			if f := c.expect(report.FrameError); !strings.Contains(string(f.Payload), "how long nor how often") {
				t.Errorf("got %q", f.Payload)
			}
			if err := <-c.done; err == nil || errors.Is(err, ErrClientGone) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// Samples out of turn have a budget: a node whose totals jump all the time is not
// looked through all the time.
func TestBudgetBoundsSamplesOutOfTurn(t *testing.T) {
	rec := &recorder{asked: report.RecordRequest{EveryMillis: usualEvery.Milliseconds()}}
	var taken int
	start := time.Unix(1_700_000_000, 0)
	const cost = 50 * time.Millisecond
	for second := range 3600 {
		if rec.budget.allows(start.Add(time.Duration(second)*time.Second), cost) {
			taken++
		}
	}
	// One second saved up, and half a hundredth of an hour.
	if most := (1000 + 3600*5) / 50; taken > most+1 || taken < most-1 {
		t.Errorf("%d samples, want %d", taken, most)
	}
	rec.cost = 600 * time.Millisecond
	if got := rec.interval(); got.Seconds() != 60 {
		t.Errorf("a sample of 0.6 s each %v", got)
	}
	rec.cost = 0
	if got := rec.interval(); got != usualEvery {
		t.Errorf("a cheap sample each %v", got)
	}
}
