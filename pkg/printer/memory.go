package printer

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// Memory prints who has a node's memory: the culprit first, the arithmetic last.
func Memory(w io.Writer, m correlate.NodeMemory, findings []diagnose.Finding, s Style) error {
	if err := s.printWrapped(w, "", memoryHead(m, findings, s)); err != nil {
		return err
	}
	if err := Findings(w, findings, s); err != nil {
		return err
	}
	if !s.Wide {
		m.Processes = withoutSaid(m.Processes, findings)
	}
	for _, part := range []func(io.Writer, correlate.NodeMemory, Style) error{memoryRanking, memoryProcesses, memoryKills, memoryEvictions,
		memoryThresholds, memoryArithmetic, memoryRest} {
		if err := part(w, m, s); err != nil {
			return err
		}
	}
	return unreadable(w, "", m.Gaps, s)
}

// withoutSaid drops what a finding says already.
func withoutSaid(list []correlate.MemoryProcess, findings []diagnose.Finding) []correlate.MemoryProcess {
	list = slices.Clone(list)
	for i := range list {
		for _, f := range findings {
			if slices.Contains(f.Evidence, list[i].Misleading) {
				list[i].Misleading = ""
			}
		}
	}
	return list
}

// memoryHead is the line that says how much is left, by both counts.
func memoryHead(m correlate.NodeMemory, findings []diagnose.Finding, s Style) string {
	name := s.bold()(m.Node)
	k := m.Kernel
	if k == nil || k.Total == nil || *k.Total == 0 {
		return name + ": the node's memory could not be read"
	}
	paint := s.bold()
	for _, f := range findings {
		if f.Severity == diagnose.Critical {
			paint = severityPaint(f.Severity, s)
		}
	}
	available := *k.Total - min(k.Used, *k.Total)
	text := fmt.Sprintf("%s: %s of %s available (%s)%s", name, correlate.Size(available), correlate.Size(*k.Total),
		paint(fmt.Sprintf("%.1f %%", 100*float64(available)/float64(*k.Total))), memoryTrend(m, available))
	if m.Kubelet != nil {
		text += fmt.Sprintf("; the kubelet counts %s available%s", correlate.Size(m.Kubelet.Available), nearestThresholds(m.Eviction))
	}
	if e := m.Eviction; e != nil && e.Pressure != nil && *e.Pressure {
		text += "; MemoryPressure"
		if e.PressureSince != nil {
			text += " since " + zoned(*e.PressureSince)
		}
	}
	return text
}

// A smaller change of the whole is what every node has; an end is in sight where
// half is used.
const (
	trendMinShare = 0.005
	trendInSight  = 6 * 3600.0
)

func memoryTrend(m correlate.NodeMemory, available uint64) string {
	rate := m.Kernel.AvailablePerSecond
	if rate == nil {
		return ""
	}
	text := fmt.Sprintf(", %s over %.1f s", sizeRate(*rate), m.Seconds)
	if left := float64(available) / -*rate; m.Kernel.Falls && available < *m.Kernel.Total/2 && left > 0 && left < trendInSight {
		return text + ", gone in " + humanSeconds(left) + " at this rate"
	}
	if math.Abs(*rate)*m.Seconds < trendMinShare*float64(*m.Kernel.Total) {
		return ""
	}
	return text
}

// nearestThresholds are those for what is available, the first to be met before.
func nearestThresholds(e *correlate.Eviction) string {
	if e == nil {
		return ""
	}
	var list []correlate.EvictionThreshold
	for _, t := range e.Thresholds {
		if t.Signal == "memory.available" {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b correlate.EvictionThreshold) int { return cmp.Compare(a.Margin, b.Margin) })
	text := ""
	for _, t := range list {
		where := "above"
		if t.Margin < 0 {
			where = "below"
		}
		text += fmt.Sprintf(", %s %s the %s eviction threshold (%s)", strings.TrimPrefix(signedSize(t.Margin), "-"), where, hardness(t), t.Written)
	}
	return text
}

func hardness(t correlate.EvictionThreshold) string {
	if t.Hard {
		return "hard"
	}
	return "soft"
}

// pressureMin is a share of time, in percent, that is worth a line.
const pressureMin = 0.1

// memoryRest says what the rows leave, and how long tasks wait for memory.
func memoryRest(w io.Writer, m correlate.NodeMemory, s Style) error {
	if p := m.Pressure; p != nil && (s.Wide || p.Some.Avg300 >= pressureMin || p.Some.Avg10 >= pressureMin) {
		text := fmt.Sprintf("tasks waited for memory %.1f %% of the last 10 s, %.1f %% of 60 s, %.1f %% of 300 s; all of them at once %.1f %%, %.1f %%, %.1f %%",
			p.Some.Avg10, p.Some.Avg60, p.Some.Avg300, p.Full.Avg10, p.Full.Avg60, p.Full.Avg300)
		if err := s.printWrapped(w, "pressure  ", text); err != nil {
			return err
		}
	}
	if len(m.Rest) == 0 || !s.Wide {
		return nil
	}
	parts := []string{correlate.Size(m.Accounted) + " in the rows"}
	for _, t := range m.Rest {
		parts = append(parts, signedSize(t.Bytes)+" "+t.Name)
	}
	return s.printWrapped(w, "in all    ", strings.Join(parts, ", "))
}

func signedSize(n int64) string {
	if n < 0 {
		return "-" + correlate.Size(uint64(-n))
	}
	return correlate.Size(uint64(n))
}

// sizeRate is a growth in bytes per second, "+12 MiB/s".
func sizeRate(perSecond float64) string {
	if perSecond < 0 {
		return "-" + correlate.Size(uint64(min(-perSecond, math.MaxInt64))) + "/s"
	}
	return "+" + correlate.Size(uint64(min(perSecond, math.MaxInt64))) + "/s"
}

// agoCell is when something was, by how long ago at the time of the answer.
func agoCell(at, now *time.Time, s Style) string {
	switch {
	case at == nil:
		return ""
	case now == nil || s.Wide:
		return zoned(*at)
	}
	return humanSeconds(max(now.Sub(*at).Seconds(), 0)) + " ago"
}

// growthMin is the least change between two looks that is shown: the kernel counts
// in batches for each CPU.
const growthMin = 512 << 10

// growthCell is empty where nothing is known to have changed.
func growthCell(perSecond *float64, seconds float64) string {
	if perSecond == nil || math.Abs(*perSecond)*seconds < growthMin {
		return ""
	}
	return sizeRate(*perSecond)
}

// filterMemory says what a filter let through.
func filterMemory(w io.Writer, m correlate.NodeMemory, s Style) error {
	f := m.Filter
	if f == nil {
		return nil
	}
	verb := "match"
	if f.Matched == 1 {
		verb = "matches"
	}
	return s.printWrapped(w, "", fmt.Sprintf("%s of %s %s %s, with %s", humanize.Comma(int64(f.Matched)), english.Plural(f.Of, "owner", ""), verb, f, correlate.Size(f.Bytes)))
}
