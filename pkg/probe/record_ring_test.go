//go:build linux

package probe

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const testInterval = 1000 // ms

// moment is a sample of owners that all have so much.
func moment(i int, owners int, each uint64) *report.Sample {
	s := &report.Sample{At: 1_700_000_000_000 + int64(i)*testInterval, Uptime: int64(i) * testInterval, Count: 1}
	for k := range s.Totals {
		s.Totals[k] = 1000
	}
	s.Totals[report.TotalAvailable] = 1 << 40
	for c := range owners {
		s.Owners = append(s.Owners, report.SampleOwner{Cgroup: c + 1, Memory: each, FDs: each >> 10, Tasks: 3})
	}
	return s
}

func decoded(t *testing.T, g *ring) []report.Sample {
	t.Helper()
	all := make([]report.Sample, len(g.samples))
	for i, e := range g.samples {
		if err := all[i].Decode(e); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestRingIsBoundedAndKeepsPeaks(t *testing.T) {
	g := &ring{limit: 64 << 10, interval: testInterval}
	const count, lowest, mostFiles, mostTasks, spike = 5000, 700, 1900, 40, 2500
	for i := range count {
		s := moment(i, 20, 1<<20)
		switch i {
		case lowest:
			s.Totals[report.TotalAvailable] = 7
			s.Owners[3].Memory = 1 << 38
		case mostFiles:
			s.Totals[report.TotalFiles] = 99_999
			s.Owners[5].FDs = 90_000
		case mostTasks:
			s.Totals[report.TotalTasks] = 8_888
		case spike: // of an owner, unseen in the totals
			s.Owners[7].Memory = 1 << 36
		}
		g.add(s)
		if g.bytes > g.limit {
			t.Fatalf("%d bytes after %d samples", g.bytes, i)
		}
	}
	all := decoded(t, g)
	moments, at, spiked := 0, int64(-1), false
	for i, s := range all {
		moments += s.Count
		if s.Uptime <= at {
			t.Errorf("sample %d begins at %d, before %d", i, s.Uptime, at)
		}
		at = s.Uptime + s.Span
		for _, o := range s.Owners {
			spiked = spiked || o.Cgroup == 8 && o.Memory == 1<<36
		}
		switch s.Uptime / testInterval {
		case lowest, mostFiles, mostTasks, lowest - 1, mostFiles - 1, mostTasks - 1:
			if s.Count != 1 {
				t.Errorf("the moment of a peak, or the one before, is merged: %d", s.Uptime)
			}
		}
	}
	if moments != count || !spiked || g.thinned == 0 {
		t.Errorf("%d moments of %d, spike %v, thinned %d", moments, count, spiked, g.thinned)
	}
	for _, want := range []struct {
		at    int
		total report.Total
		value int64
	}{{lowest, report.TotalAvailable, 7}, {mostFiles, report.TotalFiles, 99_999}, {mostTasks, report.TotalTasks, 8_888}} {
		found := false
		for _, s := range all {
			found = found || s.Uptime == int64(want.at)*testInterval && s.Totals[want.total] == want.value
		}
		if !found {
			t.Errorf("the peak of total %d at %d is gone", want.total, want.at)
		}
	}
	for _, s := range all[len(all)-keepFinest:] {
		if s.Count != 1 {
			t.Error("one of the newest is merged")
		}
	}
}

// A node that slept, or whose clock was set: what lies between stays visible.
func TestRingDoesNotMergeAcrossAGap(t *testing.T) {
	g := &ring{limit: 16 << 10, interval: testInterval}
	const gapAt, asleep = 300, 8 * 3600 * 1000
	for i := range 1000 {
		s := moment(i, 10, 1<<20)
		if i >= gapAt {
			s.Uptime += asleep
			s.At -= 24 * 3600 * 1000 // somebody set the clock back, too
		}
		g.add(s)
	}
	all := decoded(t, g)
	gaps := 0
	for i := 1; i < len(all); i++ {
		if all[i].Uptime-all[i-1].Uptime-all[i-1].Span >= asleep {
			gaps++
		}
		if all[i-1].Span >= asleep {
			t.Error("a sample spans the gap")
		}
	}
	if gaps != 1 || g.bytes > g.limit {
		t.Errorf("%d gaps, %d bytes", gaps, g.bytes)
	}
}

func TestMergeKeepsTheWorst(t *testing.T) {
	a, b := moment(1, 0, 0), moment(2, 0, 0)
	a.Owners = []report.SampleOwner{{Cgroup: 2, Memory: 10 << 10, FDs: 1}, {Cgroup: 5, Memory: 4 << 10, FDs: 9}}
	b.Owners = []report.SampleOwner{{Cgroup: 1, Tasks: 2}, {Cgroup: 5, Memory: 6 << 10, FDs: 2}, {Cgroup: 9, FDs: 3}}
	a.Processes = []report.SampleProcess{{Process: 1, RSS: 5 << 10}}
	b.Processes = []report.SampleProcess{{Process: 1, RSS: 3 << 10, Threads: 4}, {Process: 0, FDs: 1}}
	a.Totals[report.TotalAvailable], b.Totals[report.TotalAvailable] = 50, 40
	a.Totals[report.TotalFiles], b.Totals[report.TotalFiles] = report.Unknown, 0
	b.Totals[report.TotalFree] = report.Unknown
	mergeSamples(a, b)
	owners := []report.SampleOwner{{Cgroup: 1, Tasks: 2}, {Cgroup: 2, Memory: 10 << 10, FDs: 1}, {Cgroup: 5, Memory: 6 << 10, FDs: 9}, {Cgroup: 9, FDs: 3}}
	if len(a.Owners) != 4 || a.Owners[0] != owners[0] || a.Owners[1] != owners[1] || a.Owners[2] != owners[2] || a.Owners[3] != owners[3] {
		t.Errorf("owners %+v", a.Owners)
	}
	if len(a.Processes) != 2 || a.Processes[0] != (report.SampleProcess{Process: 1, RSS: 5 << 10, Threads: 4}) {
		t.Errorf("processes %+v", a.Processes)
	}
	if a.Totals[report.TotalAvailable] != 40 || a.Totals[report.TotalFiles] != 0 || a.Totals[report.TotalFree] != 1000 || a.Count != 2 || a.Span != testInterval {
		t.Errorf("got %+v", a)
	}
}

func TestShortenKeepsWhoHasMostOfAnything(t *testing.T) {
	s := moment(0, 1000, 1<<20)
	s.Owners[3].Tasks, s.Owners[77].FDs, s.Owners[999].Memory = 50_000, 1<<20, 1<<40
	sum := s.Left
	for _, o := range s.Owners {
		addTo(&sum, o)
	}
	shorten(s, 5, 1)
	kept := map[int]bool{}
	for i, o := range s.Owners {
		kept[o.Cgroup] = true
		if i > 0 && o.Cgroup <= s.Owners[i-1].Cgroup {
			t.Errorf("not in order: %+v", s.Owners)
		}
		addTo(&s.Left, o)
	}
	if len(kept) != 5 || !kept[4] || !kept[78] || !kept[1000] || s.Left != sum {
		t.Errorf("kept %v, all %+v, want %+v", kept, s.Left, sum)
	}
}

// Short-lived containers and processes by the thousand: the tables stay bounded, and
// every sample speaks of what is there. The same pid is another process each time.
func TestTablesAreBounded(t *testing.T) {
	g := &ring{limit: 1 << 20, interval: testInterval}
	r := newRecorded()
	random := rand.New(rand.NewPCG(1, 2))
	process := func(pid int, start uint64, cgroup int) report.SampleProcess {
		p := scannedProcess{pid: pid, start: start}
		p.commBytes = copy(p.comm[:], "java")
		return report.SampleProcess{Process: r.process(p, cgroup, ""), RSS: uint64(pid) << 20}
	}
	for i := range 3000 {
		s := moment(i, 0, 0)
		s.Processes = append(s.Processes, process(1, 1, 0))
		for k := range 20 {
			at, _ := r.cgroup([]byte("0::/kubepods/pod" + string(rune('a'+k)) + "/" + hex64(string(rune(i))) + "\n"))
			s.Owners = append(s.Owners, report.SampleOwner{Cgroup: at, Memory: random.Uint64N(1 << 30)})
			if k < 8 {
				s.Processes = append(s.Processes, process(100+k, uint64(i+2), at))
			}
		}
		g.add(s)
		r.compact(g)
		if len(r.cgroups) > maxRecordedCgroups+20 || len(r.processes) > maxRecordedProcesses+20 {
			t.Fatalf("%d cgroups, %d processes after %d samples", len(r.cgroups), len(r.processes), i)
		}
	}
	if r.processes[r.processAt[processKey(1, 1)]].PID != 1 {
		t.Error("process 1 is lost")
	}
	for _, s := range decoded(t, g) {
		for _, o := range s.Owners {
			if o.Cgroup >= len(r.cgroups) {
				t.Fatalf("cgroup %d of %d", o.Cgroup, len(r.cgroups))
			}
		}
		for _, p := range s.Processes {
			q := r.processes[p.Process]
			if uint64(q.PID)<<20 != p.RSS || r.processAt[processKey(q.PID, q.StartTicks)] != p.Process {
				t.Fatalf("process %d of %d MiB is %+v", p.Process, p.RSS>>20, q)
			}
		}
	}
	if last := decoded(t, g)[len(g.samples)-1]; r.raw[last.Owners[0].Cgroup] != "0::/kubepods/poda/"+hex64(string(rune(2999)))+"\n" {
		t.Error("the newest sample speaks of another cgroup")
	}
}

// What somebody has made below a container is that container's: the path ends above it.
func TestLongCgroupPathsEndAbove(t *testing.T) {
	pod := "/kubepods/pod" + uidOf("x") + "/" + hex64("x")
	long := pod + strings.Repeat("/below", 100)
	text := "4:memory:" + long + "\n3:pids:" + pod + "\n1:name=systemd:/" + strings.Repeat("x", 600) + "\n0::/\n"
	want := "4:memory:" + pod + strings.Repeat("/below", (maxRecordedPath-len(pod)-1)/len("/below")) + "\n3:pids:" + pod + "\n1:name=systemd:/\n0::/\n"
	if got := string(shortLines([]byte(text), maxRecordedPath)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for _, c := range []struct{ path, want string }{{"/a/bb", "/a/bb"}, {"/a/bbb", "/a"}, {"/aaaaaa", "/"}, {"aaaaaaa", "/"}, {"/a/b/c/d", "/a/b"}, {"", ""}} {
		if got := upTo(c.path, 5); got != c.want {
			t.Errorf("%q: got %q", c.path, got)
		}
	}
}
