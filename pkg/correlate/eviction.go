package correlate

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// housekeeping: the kubelet looks so often, in seconds (evictionMonitoringPeriod).
	housekeeping = 10
	// InSight is when what comes is in sight, in seconds: what is met later at this
	// rate, a sample of seconds does not foretell.
	InSight = 3600
)

// Eviction is when the kubelet evicts pods for memory on this node; nil: the node's
// memory is not known.
func (n *Node) Eviction() *Eviction {
	k := n.kubeletMemory()
	if k == nil {
		return nil
	}
	config, source, _ := n.kubeletConfig()
	e := &Eviction{Source: source, Thresholds: []EvictionThreshold{}, Available: &k.Available, KernelAvailable: n.Report.Memory.Info.Available,
		Notified: config.KernelMemcgNotification && k.CgroupVersion == 1}
	e.FallsBy = n.memoryFalls()
	e.addThresholds(config.EvictionHard, k.Capacity, nil)
	e.addThresholds(config.EvictionSoft, k.Capacity, config.EvictionSoftGracePeriod)
	e.addAllocatable(n.podsMemory(), config.EnforceNodeAllocatable)
	e.sort()
	e.Pressure, e.PressureSince = n.memoryPressure()
	n.judgeThreshold(e, k)
	e.Reserved = n.reserved(config, k, e)
	return e
}

// addThresholds adds those for memory of evictionHard, or with grace periods of
// evictionSoft.
func (e *Eviction) addThresholds(written map[string]string, capacity uint64, grace map[string]string) {
	bytes, ok := thresholdBytes(written[memoryAvailable], capacity)
	if !ok {
		return
	}
	t := EvictionThreshold{Signal: memoryAvailable, Hard: grace == nil, Written: written[memoryAvailable], Bytes: bytes, Margin: amount(e.Available) - amount(&bytes)}
	if !t.Hard {
		t.Grace = gracePeriod(grace[memoryAvailable])
	}
	if seconds := float64(t.Margin) / max(e.FallsBy, 1); e.FallsBy > 0 && t.Margin > 0 && seconds <= InSight {
		t.SecondsLeft = &seconds
	}
	e.Thresholds = append(e.Thresholds, t)
}

// addAllocatable: the hard threshold holds for all pods together, too, within the
// limit of kubepods, if that is enforced (addAllocatableThresholds of
// pkg/kubelet/eviction). A percentage is one of that limit then.
func (e *Eviction) addAllocatable(pods *report.MemoryCgroup, enforced []string) {
	if pods == nil || pods.Limit == nil || !slices.Contains(enforced, "pods") {
		return
	}
	hard := e.Hard()
	if hard == nil {
		return
	}
	bytes, ok := thresholdBytes(hard.Written, uint64(amount(pods.Limit)))
	if !ok {
		return
	}
	used := workingSetOf(pods)
	e.Thresholds = append(e.Thresholds, EvictionThreshold{Signal: allocatableAvailable, Hard: true, Written: hard.Written, Bytes: bytes,
		Margin: amount(pods.Limit) - int64(used) - amount(&bytes)})
}

// Hard is the node's own hard threshold, nil: there is none.
func (e *Eviction) Hard() *EvictionThreshold {
	for i := range e.Thresholds {
		if t := &e.Thresholds[i]; t.Hard && t.Signal == memoryAvailable {
			return t
		}
	}
	return nil
}

// Soft is the soft threshold, nil: there is none.
func (e *Eviction) Soft() *EvictionThreshold {
	for i := range e.Thresholds {
		if t := &e.Thresholds[i]; !t.Hard {
			return t
		}
	}
	return nil
}

func (e *Eviction) sort() {
	slices.SortStableFunc(e.Thresholds, func(a, b EvictionThreshold) int {
		return cmp.Or(-strings.Compare(a.Signal, b.Signal), cmp.Compare(b.Bytes, a.Bytes))
	})
}

// memoryFalls is by how much memory.available fell each second, if it did with
// each step of the sample. v2's root has no usage: there MemAvailable stands for it.
func (n *Node) memoryFalls() float64 {
	samples := n.Report.Memory.Samples
	if len(samples) < 3 {
		return 0
	}
	value := func(s report.MemorySample) (int64, bool) {
		if s.RootUsage != nil {
			return amount(s.RootInactiveFile) - amount(s.RootUsage), true
		}
		return amount(s.Available), s.Available != nil
	}
	first, ok := value(samples[0])
	before := first
	for _, s := range samples[1:] {
		now, known := value(s)
		if !ok || !known || now >= before {
			return 0
		}
		before = now
	}
	took := samples[len(samples)-1].AtMillis - samples[0].AtMillis
	if took <= 0 {
		return 0
	}
	return float64(first-before) / float64(took) * 1000
}

// memoryPressure is the node's condition; nil: not known.
func (n *Node) memoryPressure() (*bool, *time.Time) {
	if n.Inventory == nil || n.Inventory.Memory == nil {
		return nil, nil
	}
	i := slices.IndexFunc(n.Inventory.Memory.Conditions, func(c inventory.Condition) bool { return c.Type == "MemoryPressure" })
	if i < 0 {
		return nil, nil
	}
	c := n.Inventory.Memory.Conditions[i]
	if c.Status != "True" && c.Status != "False" {
		return nil, nil
	}
	is, since := c.Status == "True", unixTime(c.Since)
	return &is, since
}

// unixTime is nil where the time is not known.
func unixTime(seconds int64) *time.Time {
	if seconds <= 0 {
		return nil
	}
	t := time.Unix(seconds, 0).UTC()
	return &t
}
