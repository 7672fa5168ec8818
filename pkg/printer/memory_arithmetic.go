package printer

import (
	"fmt"
	"io"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// memoryThresholds are those at which the kubelet evicts, and what is set aside.
func memoryThresholds(w io.Writer, m correlate.NodeMemory, s Style) error {
	e := m.Eviction
	if e == nil {
		return nil
	}
	t := tasksSection{most: len(e.Thresholds), columns: []column{{title: "EVICTION"}, {title: "BELOW", right: true}, {title: "IS", right: true, drop: 1}, {title: "OF"}, {title: "MARGIN", right: true},
		{title: "GRACE", right: true}, {title: "MET IN", right: true, drop: 2}}}
	for _, l := range e.Thresholds {
		grace, left := "", ""
		if l.Grace > 0 {
			grace = humanSeconds(l.Grace)
		}
		if l.SecondsLeft != nil {
			left = humanSeconds(*l.SecondsLeft)
		}
		t.rows = append(t.rows, []string{hardness(l), l.Written, correlate.Size(l.Bytes), l.Signal, signedSize(l.Margin), grace, left})
	}
	if err := t.print(w, s); err != nil {
		return err
	}
	if err := s.printWrapped(w, "known from ", sourceText(e.Source)); err != nil {
		return err
	}
	if e.Why != "" {
		if err := s.printWrapped(w, "it means   ", e.Why); err != nil {
			return err
		}
	}
	return memoryReserved(w, e.Reserved, s)
}

func sourceText(source string) string {
	switch source {
	case correlate.FromConfigz:
		return "the kubelet itself (configz)"
	case correlate.FromDefaults:
		return "the kubelet's defaults: neither it nor the node's files say"
	}
	return "the " + source
}

// memoryReserved is what is set aside, against what is used.
func memoryReserved(w io.Writer, r *correlate.Reserved, s Style) error {
	if r == nil {
		return nil
	}
	pods := fmt.Sprintf("pods may have %s, and use %s", correlate.Size(r.Allocatable), correlate.Size(r.PodsUse))
	if r.Requested > 0 || r.Limits > 0 {
		pods += fmt.Sprintf(" (they request %s, their limits are %s)", correlate.Size(r.Requested), correlate.Size(r.Limits))
	}
	return s.printWrapped(w, "set aside  ", fmt.Sprintf("%s for the system (kube %s, system %s, hard threshold %s), which uses %s; %s",
		correlate.Size(r.Capacity-min(r.Allocatable, r.Capacity)), correlate.Size(r.Kube), correlate.Size(r.System), correlate.Size(r.Eviction), correlate.Size(r.Used), pods))
}

// memoryArithmetic shows both counts side by side, each term of them.
func memoryArithmetic(w io.Writer, m correlate.NodeMemory, s Style) error {
	if m.Kernel == nil {
		return nil
	}
	kernel, kubelet := kernelTerms(*m.Kernel), kubeletTerms(m.Kubelet)
	rows := make([][]string, max(len(kernel), len(kubelet)))
	for i := range rows {
		rows[i] = make([]string, 4)
		if i < len(kernel) {
			rows[i][0], rows[i][1] = kernel[i].Name, mebibytes(kernel[i].Bytes)
		}
		if i < len(kubelet) {
			rows[i][2], rows[i][3] = kubelet[i].Name, mebibytes(kubelet[i].Bytes)
		}
	}
	columns := []column{{title: "THE KERNEL COUNTS"}, {title: "MiB", right: true}, {title: "THE KUBELET COUNTS"}, {title: "MiB", right: true}}
	if err := (tasksSection{most: len(rows), columns: columns, rows: rows}).print(w, Style{Width: s.Width, Color: s.Color, Wide: s.Wide}); err != nil {
		return err
	}
	shown := m.Differences
	if !s.Wide {
		shown = shown[:min(len(shown), 3)]
	}
	for _, d := range shown {
		if err := s.printWrapped(w, "differs  ", fmt.Sprintf("%s MiB %s: %s", mebibytes(d.Bytes), d.Name, d.Why)); err != nil {
			return err
		}
	}
	return nil
}

// kernelTerms are the lines of /proc/meminfo that say something; of which are
// parts of the line above.
func kernelTerms(k correlate.KernelMemory) []correlate.Term {
	var terms []correlate.Term
	add := func(name string, n *uint64, always bool) {
		if n != nil && (always || *n >= 1<<20) {
			terms = append(terms, correlate.Term{Name: name, Bytes: int64(min(*n, 1<<62))})
		}
	}
	add("MemTotal", k.Total, true)
	add("MemAvailable", k.Available, true)
	add("MemFree", k.Free, true)
	add("AnonPages", k.AnonPages, true)
	add("Buffers", k.Buffers, false)
	add("Cached", k.Cached, true)
	add("  of which tmpfs (Shmem)", k.Shmem, true)
	add("  Inactive(file)", k.InactiveFile, true)
	add("  Active(file)", k.ActiveFile, true)
	add("  Dirty", k.Dirty, false)
	for _, p := range k.Parts[:min(len(k.Parts), 4)] {
		bytes := uint64(max(p.Bytes, 0))
		add(p.Name, &bytes, false)
	}
	add("Mlocked", k.Mlocked, false)
	if k.SwapTotal != nil && k.SwapFree != nil && *k.SwapTotal > 0 {
		used := *k.SwapTotal - min(*k.SwapFree, *k.SwapTotal)
		add("swap, of which used", k.SwapTotal, false)
		add("  used", &used, true)
	}
	return terms
}

func kubeletTerms(k *correlate.KubeletMemory) []correlate.Term {
	if k == nil {
		return nil
	}
	signed := func(n uint64) int64 { return int64(min(n, 1<<62)) }
	terms := []correlate.Term{{Name: "capacity", Bytes: signed(k.Capacity)}, {Name: "memory.available", Bytes: signed(k.Available)},
		{Name: "working set", Bytes: signed(k.WorkingSet)}, {Name: "  usage", Bytes: signed(k.Usage)}}
	if len(k.Terms) > 1 {
		for _, t := range k.Terms {
			terms = append(terms, correlate.Term{Name: "    " + t.Name, Bytes: t.Bytes})
		}
	}
	terms = append(terms, correlate.Term{Name: "  less inactive_file", Bytes: signed(k.InactiveFile)})
	if k.Summary != nil {
		name := "it says itself"
		if k.SummaryAge > 0 {
			name += fmt.Sprintf(" (%s ago)", humanSeconds(k.SummaryAge))
		}
		terms = slices.Insert(terms, 2, correlate.Term{Name: name, Bytes: signed(*k.Summary)})
	}
	return terms
}

// mebibytes with its digits grouped, so that columns can be added by hand.
func mebibytes(n int64) string { return humanize.Comma(n / (1 << 20)) }
