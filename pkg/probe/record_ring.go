//go:build linux

package probe

import (
	"sort"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// ringBytes bounds the encoded samples.
	ringBytes = 2 << 20
	// ownersPerSample and processesPerSample bound one; the rest is summed up.
	ownersPerSample, processesPerSample = 400, 16
	// keepFinest of the newest samples are never merged.
	keepFinest = 32
)

// ring holds samples, the oldest first, in so many bytes. Where they do not fit,
// older ones are merged in pairs, of which the worst numbers stay: the series
// gets coarser and no peak is lost. The samples of the highest peaks, and those
// before them, stay as they were, since who made a peak only one moment tells.
type ring struct {
	limit   int
	samples [][]byte
	bytes   int
	thinned int
	// interval is between samples in milliseconds: across a longer gap none merge.
	interval int64
	a, b     report.Sample
}

func (g *ring) add(s *report.Sample) {
	shorten(s, ownersPerSample, processesPerSample)
	e := s.Append(nil)
	g.samples = append(g.samples, e)
	g.bytes += len(e)
	if g.bytes > g.limit {
		g.thin(g.limit / 4 * 3)
	}
}

// thin merges until the samples fit into target bytes: the oldest pairs first,
// and those that have been merged least.
func (g *ring) thin(target int) {
	g.thinned++
	for most := 2; g.bytes > target && most <= 1<<20; most *= 2 {
		g.mergePairs(target, most)
	}
	for g.bytes > target && len(g.samples) > 1 {
		g.bytes -= len(g.samples[0])
		g.samples = g.samples[1:]
	}
}

// mergePairs merges neighbours into samples of most moments.
func (g *ring) mergePairs(target, most int) {
	peaks := g.peaks()
	kept := g.samples[:0]
	i := 0
	for ; i+1 < len(g.samples)-keepFinest && g.bytes > target; i++ {
		if !peaks[i] && !peaks[i+1] && g.merge(i, most) {
			i++
			kept = append(kept, g.samples[i])
		} else {
			kept = append(kept, g.samples[i])
		}
	}
	g.samples = append(kept, g.samples[i:]...)
}

// merge puts the sum of samples i and i+1 in the place of the latter.
func (g *ring) merge(i, most int) bool {
	first, second := g.samples[i], g.samples[i+1]
	if g.a.Decode(first) != nil || g.b.Decode(second) != nil {
		return false
	}
	between := g.b.Uptime - g.a.Uptime - g.a.Span
	if g.a.Count+g.b.Count > most || between > 3*g.interval || between < 0 {
		return false
	}
	mergeSamples(&g.a, &g.b)
	shorten(&g.a, ownersPerSample, processesPerSample)
	merged := g.a.Append(nil)
	g.bytes += len(merged) - len(first) - len(second)
	g.samples[i+1] = merged
	return true
}

// peaks are the worst samples of each sort, and those before them, by index.
func (g *ring) peaks() map[int]bool {
	type peak struct {
		at    int
		value int64
	}
	var best [3]peak
	for i, e := range g.samples {
		if g.a.Decode(e) != nil {
			continue
		}
		for k, v := range [3]int64{1<<60 - available(&g.a), g.a.Totals[report.TotalFiles], g.a.Totals[report.TotalTasks]} {
			if i == 0 || v > best[k].value {
				best[k] = peak{i, v}
			}
		}
	}
	at := map[int]bool{}
	for _, p := range best {
		at[p.at], at[max(p.at-1, 0)] = true, true
	}
	return at
}

// available is MemAvailable; of kernels before 3.14 what is free has to do.
func available(s *report.Sample) int64 {
	if v := s.Totals[report.TotalAvailable]; v != report.Unknown {
		return v
	}
	return s.Totals[report.TotalFree]
}

// mergeSamples adds b, the later one, to a: of each number the worst.
func mergeSamples(a, b *report.Sample) {
	a.Span = b.Uptime + b.Span - a.Uptime
	a.Count += b.Count
	a.Jump = a.Jump || b.Jump
	for i, v := range b.Totals {
		least := report.Total(i) == report.TotalAvailable || report.Total(i) == report.TotalFree
		if a.Totals[i] == report.Unknown || v != report.Unknown && (v > a.Totals[i]) != least {
			a.Totals[i] = v
		}
	}
	for _, o := range b.Owners {
		i := sort.Search(len(a.Owners), func(i int) bool { return a.Owners[i].Cgroup >= o.Cgroup })
		if i == len(a.Owners) || a.Owners[i].Cgroup != o.Cgroup {
			a.Owners = append(a.Owners, report.SampleOwner{})
			copy(a.Owners[i+1:], a.Owners[i:])
			a.Owners[i] = o
		}
		most(&a.Owners[i], o)
	}
	most(&a.Left, b.Left)
	for _, p := range b.Processes {
		at := -1
		for i := range a.Processes {
			if a.Processes[i].Process == p.Process {
				at = i
			}
		}
		if at < 0 {
			a.Processes = append(a.Processes, p)
			continue
		}
		q := &a.Processes[at]
		q.RSS, q.FDs, q.Threads = max(q.RSS, p.RSS), max(q.FDs, p.FDs), max(q.Threads, p.Threads)
	}
}
