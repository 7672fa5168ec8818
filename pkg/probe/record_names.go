//go:build linux

package probe

import (
	"context"
	"strconv"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// begin takes what recording builds on: the runtimes' directories and containers,
// the node itself, and the first sample.
func (rec *recorder) begin(ctx context.Context) {
	r := rec.base
	r.report = &report.NodeReport{}
	for _, c := range collectors(report.NewRequest(report.CollectProcesses)) {
		if err := c.runInto(ctx, &r); err != nil {
			rec.miss(err)
		}
	}
	rec.base.dirs, rec.node = r.dirs, r.report.Node
	bad := unreadable{}
	rec.mount, _ = memoryMounts(rec.fs, rec.look, bad)
	if rec.mount != nil {
		if root, err := hostfs.OpenRoot(rec.fs, nil); err == nil {
			rec.memory = &cgroupTree{root: root, of: "memory", mount: *rec.mount, ownPID: ownPID(rec.fs)}
		}
	}
	if n := memInfo(rec.look, bad).Total; n != nil {
		rec.limits.MemTotal = *n
	}
	if n := readNumber(rec.look, "sys/fs/file-max", bad); n != nil {
		rec.limits.FileMax = *n
	}
	for _, name := range []string{"sys/kernel/pid_max", "sys/kernel/threads-max"} {
		if n := readNumber(rec.look, name, bad); n != nil && (rec.limits.TasksMax == 0 || *n < rec.limits.TasksMax) {
			rec.limits.TasksMax = *n
		}
	}
	rec.sample(ctx, false)
}

// containerNames are the runtimes' words for containers, kept once read: their files
// go with them.
type containerNames struct {
	list []report.Container
	pods []report.PodRecord
}

// noteNames reads the files of containers that came since.
func (rec *recorder) noteNames(ctx context.Context, fresh bool) {
	if !fresh {
		return
	}
	r := rec.base
	r.report = &report.NodeReport{}
	n := &rec.containers
	seen := map[string]bool{} // the collector may be left behind
	for _, c := range n.list {
		seen[report.Unescape(c.ID)] = true
	}
	err := collector{"containers", 15 * time.Second, func(ctx context.Context, r run) (publish, error) {
		s, err := readContainers(ctx, r, seen)
		return func(r *run) { r.report.Containers = s }, err
	}}.runInto(ctx, &r)
	if err != nil || r.report.Containers == nil {
		return
	}
	n.list = append(n.list, r.report.Containers.List...)
	known := map[string]bool{}
	for _, p := range n.pods {
		known[p.UID] = true
	}
	for _, p := range r.report.Containers.Pods {
		if !known[p.UID] {
			n.pods = append(n.pods, p)
		}
	}
	rec.forgetNames()
}

// forgetNames drops those that no recorded cgroup speaks of, where they are many.
func (rec *recorder) forgetNames() {
	n := &rec.containers
	if len(n.list) > maxRecordedContainers {
		kept := n.list[:0]
		for _, c := range n.list {
			if rec.speaksOf(c.ID) {
				kept = append(kept, c)
			}
		}
		n.list = kept
	}
	if len(n.pods) > maxRecordedContainers {
		kept := n.pods[:0]
		for _, p := range n.pods {
			if rec.speaksOf(p.UID) {
				kept = append(kept, p)
			}
		}
		n.pods = kept
	}
}

// maxOOMNotes bounds the kills that are kept, the newest.
const maxOOMNotes = 256

// oomNotes are OOM kills of the kernel's log, which turns over.
type oomNotes struct {
	counted int64 // oom_kill at the last look
	last    float64
	kills   []report.OOMKill
}

// noteOOM reads the kernel's log where the kernel has killed since, or does not
// count (before Linux 4.13).
func (rec *recorder) noteOOM(ctx context.Context, s *report.Sample) {
	n, count := &rec.oom, s.Totals[report.TotalOOMKills]
	if first := rec.last.Count == 0; first || count == n.counted && count != report.Unknown {
		if first { // what was before is not this recording's
			n.last = float64(s.Uptime) / 1000
		}
		n.counted = count
		return
	}
	n.counted = count
	r, err := collectBeside(ctx, rec.fs, rec.version, report.NewRequest(report.CollectOOM), rec.silence)
	if err != nil || r.OOM == nil {
		return
	}
	last := n.last
	for _, k := range r.OOM.Kills {
		if k.At != nil && *k.At > last {
			k.Largest = k.Largest[:min(len(k.Largest), 3)]
			n.kills, n.last = append(n.kills, k), max(n.last, *k.At)
		}
	}
	n.kills = n.kills[max(0, len(n.kills)-maxOOMNotes):]
}

// mountsEvery is how often the mounts of the host's namespace are counted: a reader
// holds up those who mount.
const mountsEvery = 10 * time.Minute

// countMounts counts them, or takes the last count.
func (rec *recorder) countMounts(ctx context.Context, s *report.Sample) {
	if now := time.Now(); now.Sub(rec.mountsAt) >= mountsEvery {
		rec.mountsAt, rec.mounts = now, report.Unknown
		r := rec.base
		_ = collector{"mounts", 15 * time.Second, func(_ context.Context, r run) (publish, error) {
			proc, err := hostfs.OpenProc(r.fs)
			if err != nil {
				return nil, err
			}
			defer proc.Close()
			n := int64(0)
			err = proc.EachLine(strconv.Itoa(rootPID(r.fs))+"/mountinfo", func([]byte) bool { n++; return true })
			return func(*run) { rec.mounts = n }, err
		}}.runInto(ctx, &r)
	}
	s.Totals[report.TotalMounts] = rec.mounts
}
