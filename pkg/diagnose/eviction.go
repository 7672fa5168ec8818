package diagnose

import (
	"fmt"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// IDs of the rules about eviction for memory.
const (
	MemoryThresholdTooLow  = "memory-threshold-too-low"
	MemorySoftOnly         = "memory-soft-only"
	MemoryReservedTooSmall = "memory-reserved-too-small"
	MemoryPressure         = "memory-pressure"
)

// Little of it is available, by the kernel's count: nothing is left to plan with.
func evictionLittle(rule string) Threshold {
	return percent(rule, "little", 20, "of the node's memory available: with more nothing is foretold")
}

// A steady fall within seconds foretells no more.
func evictionSoon(rule string) Threshold {
	t := span(rule, "soon", 2*time.Minute, "until it comes, at this rate: a finding")
	t.Max = correlate.InSight
	return t
}

// An OOM kill says something of the node so long.
func evictionKills(rule string) Threshold {
	return span(rule, "kills", 7*24*time.Hour, "since an OOM kill of the whole node: a finding")
}

// evictionFacts are what these rules look at.
type evictionFacts struct {
	*correlate.Eviction
	limits    Thresholds
	rule      string
	available uint64 // the kernel's MemAvailable
	left      uint64 // with the swap that is free, before the OOM killer comes
	known     bool   // both are
	kills     int    // OOM kills of the whole node, lately
}

// factsOf is nil where the node's memory is not known.
func factsOf(n *correlate.Node, limits Thresholds, rule string) *evictionFacts {
	e := n.Eviction()
	if e == nil {
		return nil
	}
	f := &evictionFacts{Eviction: e, limits: limits, rule: rule, kills: nodeKills(n, limits.duration(evictionKills(rule)))}
	if e.KernelAvailable != nil {
		f.available, f.left, f.known = *e.KernelAvailable, *e.KernelAvailable, true
		if swap := n.Report.Memory.Info.SwapFree; swap != nil {
			f.left += min(*swap, 1<<56)
		}
	}
	return f
}

// little: what the kernel has left will not do for another program.
func (f *evictionFacts) little() bool {
	return f.known && float64(f.left) < f.littleBytes()
}

func (f *evictionFacts) littleBytes() float64 {
	return f.limits.In(evictionLittle(f.rule)) / 100 * float64(f.Reserved.Capacity)
}

// runsOut is when the kernel has nothing left at this rate, in seconds; ok: soon.
func (f *evictionFacts) runsOut() (seconds float64, ok bool) {
	if f.FallsBy <= 0 || !f.little() {
		return 0, false
	}
	seconds = float64(f.left) / f.FallsBy
	return seconds, seconds <= f.limits.In(evictionSoon(f.rule))
}

// nodeKills counts OOM kills for want of memory of the whole node, by the kernel's
// log, else by the kubelet's events (SystemOOM is of the root cgroup only).
func nodeKills(n *correlate.Node, since time.Duration) int {
	count := 0
	if log := n.Report.OOM; log != nil {
		for _, k := range log.Kills {
			if k.Constraint == report.OOMNode && k.By == "" && k.At != nil && n.Report.Node.Uptime-*k.At <= since.Seconds() {
				count++
			}
		}
	}
	if count > 0 || n.Inventory == nil || n.Inventory.Memory == nil {
		return count
	}
	for _, e := range n.Inventory.Memory.Events {
		if e.Reason == "SystemOOM" && n.Report.Node.Now-e.Last <= int64(since.Seconds()) {
			count += max(e.Count, 1)
		}
	}
	return count
}

// bothCounts is the kubelet's number beside the kernel's.
func (f *evictionFacts) bothCounts() string {
	s := "the kubelet's memory.available is " + correlate.Size(*f.Available)
	if f.known {
		s += ", the kernel's MemAvailable " + correlate.Size(f.available)
	}
	return s
}

// thresholds is each with what is left to it.
func (f *evictionFacts) thresholds() (lines []string) {
	for _, t := range f.Thresholds {
		line := thresholdName(t) + " of " + writtenBytes(t)
		if t.Margin < 0 {
			line += ": met, by " + correlate.Size(uint64(-t.Margin))
		} else {
			line += ": " + correlate.Size(uint64(t.Margin)) + " above it"
		}
		if t.SecondsLeft != nil {
			line += fmt.Sprintf(", gone in %.0f s at this rate", *t.SecondsLeft)
		}
		lines = append(lines, line)
	}
	return lines
}

func thresholdName(t correlate.EvictionThreshold) string {
	kind := "soft"
	if t.Hard {
		kind = "hard"
	}
	return kind + " threshold of " + t.Signal
}

// writtenBytes is "12% (7.7 GiB) for 1m30s".
func writtenBytes(t correlate.EvictionThreshold) string {
	s := fmt.Sprintf("%s (%s)", t.Written, correlate.Size(t.Bytes))
	if !t.Hard {
		s += " for " + (time.Duration(t.Grace * float64(time.Second))).String()
	}
	return s
}
