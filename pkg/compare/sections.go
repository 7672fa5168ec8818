package compare

import (
	"fmt"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// section is a part of a report that a comparison needs.
type section string

const (
	openFiles   section = "open files"
	descriptors section = "descriptors"
	memory      section = "memory"
	tasks       section = "tasks"
	mounts      section = "mounts"
	namespaces  section = "mounts of other namespaces"
	pipes       section = "pipes"
	runtimes    section = "container runtime"
)

// collectors by which a section that failed is named.
func collectors() map[section]string {
	return map[section]string{openFiles: report.CollectOpenFiles, descriptors: report.CollectProcesses, memory: report.CollectMemory, tasks: report.CollectTasks,
		mounts: report.CollectMounts, namespaces: report.CollectMounts, pipes: report.CollectPipes, runtimes: report.CollectRuntime}
}

// has says which sections a report has. A report of fd, say, has no memory: nobody
// looked.
func has(r *report.NodeReport) map[section]bool {
	return map[section]bool{
		openFiles:   r.OpenFiles != nil && len(r.OpenFiles.Samples) > 0,
		descriptors: r.Processes != nil && r.Processes.FDMethod != "",
		memory:      r.Memory != nil && r.Processes != nil,
		tasks:       r.Tasks != nil && r.Processes != nil,
		mounts:      r.Mounts != nil,
		namespaces:  r.Mounts != nil && len(r.Mounts.Namespaces) > 1, // other commands ask for the host's only
		pipes:       r.Pipes != nil && r.Processes != nil,
		runtimes:    r.Runtime != nil,
	}
}

// sections are those that both reports have, and why others cannot be compared.
type sections struct {
	both map[section]bool
	gaps []Gap
}

func comparableSections(before, after *correlate.Node) sections {
	s := sections{both: map[section]bool{}}
	then, now := has(before.Report), has(after.Report)
	for _, name := range []section{openFiles, descriptors, memory, tasks, mounts, namespaces, pipes, runtimes} {
		switch {
		case then[name] && now[name]:
			s.both[name] = true
		case now[name]:
			s.gaps = append(s.gaps, Gap{string(name), "not in the older report" + whyNot(before.Report, name)})
		case then[name]:
			s.gaps = append(s.gaps, Gap{string(name), "not in the newer report" + whyNot(after.Report, name)})
		}
	}
	if len(s.both) == 0 && len(s.gaps) == 0 { // of recordings, of whois-pid
		s.gaps = append(s.gaps, Gap{"anything", "neither report has a section that is compared"})
	}
	s.addUnread(before, "older")
	s.addUnread(after, "newer")
	if unasked := unaskedIn(before, after); unasked != "" {
		s.gaps = append(s.gaps, Gap{"what the API server knows", "it did not list the node's pods for " + unasked + ": pods are named by the node's own files there, and have no workload"})
	}
	return s
}

// addUnread: a process whose descriptors nobody could count has not lost them.
func (s *sections) addUnread(n *correlate.Node, name string) {
	if !s.both[descriptors] {
		return
	}
	if unread := n.RankFDs(correlate.ByPod).Unread; unread > 0 {
		s.gaps = append(s.gaps, Gap{"descriptors of some processes", fmt.Sprintf("%d could not be counted in the %s report", unread, name)})
	}
}

// unaskedIn names the reports without pods of the API server.
func unaskedIn(before, after *correlate.Node) string {
	unasked := func(n *correlate.Node) bool { return n.Inventory == nil || n.Inventory.PodsError != "" }
	switch {
	case unasked(before) && unasked(after):
		return "either report"
	case unasked(before):
		return "the older report"
	case unasked(after):
		return "the newer report"
	}
	return ""
}

// whyNot: a collector that failed is another thing than one that nobody asked for.
func whyNot(r *report.NodeReport, s section) string {
	for _, f := range r.Probe.Failed {
		if f.What == collectors()[s] {
			return ": " + f.Cause
		}
	}
	return ", which was made without looking at it"
}

// sectionsOf a rule, by the beginning of its ID.
func sectionsOf(rule string) []section {
	switch family, _, _ := strings.Cut(rule, "-"); family {
	case "fd":
		return []section{openFiles, descriptors}
	case "inotify":
		return []section{descriptors}
	case "memory":
		return []section{memory}
	case "tasks":
		return []section{tasks}
	case "mounts":
		return []section{mounts, namespaces}
	case "pipes":
		return []section{pipes}
	case "runtime":
		return []section{runtimes}
	}
	return nil
}

// comparable says whether both reports could have found a rule's subject.
func (s sections) comparable(rule string) bool {
	for _, needed := range sectionsOf(rule) {
		if !s.both[needed] {
			return false
		}
	}
	return true
}
