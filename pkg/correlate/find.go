package correlate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// ProcessRow is a process in a list of those that were looked for.
type ProcessRow struct {
	PID        int     `json:"pid"`
	PPID       int     `json:"ppid"`
	AgeSeconds float64 `json:"ageSeconds,omitempty"`
	State      string  `json:"state"`
	Owner      Owner   `json:"owner"`
	Comm       string  `json:"comm"`
	Command    string  `json:"command,omitempty"`
	// Holds is what was looked for: a socket or a pipe.
	Holds string `json:"holds,omitempty"`
}

// ProcessesOfPod lists the processes of a pod, "namespace/name" or a UID. A name
// alone will do where it is the only one on the node.
func (n *Node) ProcessesOfPod(pod string) ([]ProcessRow, error) {
	var rows []ProcessRow
	var names []string
	n.eachOwned(func(p *report.Process, o Owner) {
		if o.Type != OwnerPod || pod != o.Namespace+"/"+o.Pod && pod != o.PodUID && pod != o.Pod {
			return
		}
		if !slices.Contains(names, o.Name()) {
			names = append(names, o.Name())
		}
		rows = append(rows, n.row(p, o, ""))
	})
	switch {
	case len(names) > 1:
		return nil, fmt.Errorf("%q is not one pod but %s: say which, as NAMESPACE/NAME", pod, some(names))
	case len(rows) == 0:
		return nil, n.noPod(pod)
	}
	return rows, nil
}

// noPod says why there is none, as far as the API server tells.
func (n *Node) noPod(pod string) error {
	namespace, name, full := strings.Cut(pod, "/")
	if !full {
		namespace, name = "", pod
	}
	for _, known := range n.podByName {
		if known.Name == name && (namespace == "" || known.Namespace == namespace) {
			return fmt.Errorf("pod %s/%s is bound to %s, phase %s, and has no process there: kubectl describe pod -n %s %s says why",
				known.Namespace, known.Name, n.Name(), known.Phase, known.Namespace, known.Name)
		}
	}
	if namespace == "" {
		return fmt.Errorf("no process of a pod %q on %s: kubectl get pods -A -o wide says where it runs", pod, n.Name())
	}
	return fmt.Errorf("no process of pod %s on %s: kubectl get pod -n %s %s -o wide says where it runs", pod, n.Name(), namespace, name)
}

// ProcessesOfContainer lists the processes of a container by how its id begins,
// with or without "containerd://" before it.
func (n *Node) ProcessesOfContainer(prefix string) ([]ProcessRow, error) {
	if _, id, ok := strings.Cut(prefix, "://"); ok {
		prefix = id
	}
	ids := map[string]bool{}
	rows := map[string][]ProcessRow{}
	n.eachOwned(func(p *report.Process, o Owner) {
		if o.ContainerID != "" && strings.HasPrefix(o.ContainerID, prefix) {
			ids[o.ContainerID] = true
			rows[o.ContainerID] = append(rows[o.ContainerID], n.row(p, o, ""))
		}
	})
	for id := range n.containers {
		ids[id] = ids[id] || strings.HasPrefix(id, prefix)
	}
	for id := range n.podByContainer {
		ids[id] = ids[id] || strings.HasPrefix(id, prefix)
	}
	var fit []string
	for id, fits := range ids {
		if fits {
			fit = append(fit, id)
		}
	}
	slices.Sort(fit)
	switch {
	case len(fit) == 0:
		return nil, fmt.Errorf("%s has no container whose id begins with %q: crictl ps -a on the node lists them", n.Name(), prefix)
	case len(fit) > 1:
		return nil, fmt.Errorf("%q is not one container but %s: give more of the id", prefix, some(fit))
	case len(rows[fit[0]]) == 0:
		return nil, fmt.Errorf("container %s of %s has no process: it has ended, or has not started", ShortID(fit[0]), n.ownerAt(Place{ContainerID: fit[0]}, "").Name())
	}
	return rows[fit[0]], nil
}

// some names the first of many.
func some(names []string) string {
	const most = 8
	slices.Sort(names)
	text := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func (n *Node) eachOwned(fn func(*report.Process, Owner)) {
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		fn(p, n.Blame(p).Owner)
	}
}

func (n *Node) row(p *report.Process, o Owner, holds string) ProcessRow {
	command := p.Cmdline
	if command == "" {
		command = "[" + p.Comm + "]"
	}
	return ProcessRow{PID: p.PID, PPID: p.PPID, AgeSeconds: n.age(p), State: stateName(p.State), Owner: o, Comm: p.Comm, Command: command, Holds: holds}
}

// ErrNotAsked says that a saved report knows only what it was made for.
var ErrNotAsked = errors.New("the report was made without looking for that")

// Holders lists the processes that hold a port's sockets, or an inode; those
// that wait for others come before those that are connected.
func (n *Node) Holders(find report.Find) ([]ProcessRow, error) {
	f := n.Report.Found
	for _, failed := range n.Report.Probe.Failed {
		if f == nil && failed.What == report.CollectFound {
			return nil, n.unfinished("", find)
		}
	}
	if f == nil || f.Find != find {
		return nil, ErrNotAsked
	}
	var rows []ProcessRow
	for _, waiting := range []bool{true, false} {
		for _, h := range f.Holders {
			s := socketOf(f.Sockets, h.Inode)
			p := n.processes[h.PID]
			if p != nil && (s != nil && waits(s.State, s.Protocol, s.Remote)) == waiting {
				rows = append(rows, n.row(p, n.Blame(p).Owner, holdsText(s, h)))
			}
		}
	}
	if len(rows) == 0 {
		return nil, n.noHolder(f)
	}
	return rows, nil
}

func socketOf(sockets []report.FoundSocket, inode uint64) *report.FoundSocket {
	for i := range sockets {
		if sockets[i].Inode == inode {
			return &sockets[i]
		}
	}
	return nil
}

// waits: a listener, or a UDP socket that is not connected.
func waits(state, protocol, remote string) bool {
	return state == "LISTEN" || strings.HasPrefix(protocol, "UDP") && remote == ""
}

func holdsText(s *report.FoundSocket, h report.Holder) string {
	text := fmt.Sprintf("%s %d", h.Kind, h.Inode)
	if s != nil {
		text = strings.TrimSpace(s.Protocol + " " + s.Local)
		if s.Remote != "" {
			text += "→" + s.Remote
		}
		if s.State != "" {
			text += " " + s.State
		}
		if s.HostNetwork != nil && !*s.HostNetwork {
			text += " in its own network"
		}
	}
	if h.Count > 1 {
		text += fmt.Sprintf(" (%d descriptors)", h.Count)
	}
	return text
}

// unfinished is no answer: what was looked for may be there all the same.
func (n *Node) unfinished(found string, find report.Find) error {
	next := "ask again when the node is less busy"
	if find.Port != 0 {
		next += ", or run ss -tuanp there, which shows the node's own network"
	}
	return fmt.Errorf("%sthe search on %s did not finish: %s", found, n.Name(), next)
}

func (n *Node) noHolder(f *report.Found) error {
	if f.EndedEarly {
		return n.unfinished("nothing found so far, and ", f.Find)
	}
	if f.Port == 0 {
		return fmt.Errorf("no process on %s holds a socket or pipe with inode %d: it was closed, or it is the kernel's own", n.Name(), f.Inode)
	}
	if len(f.Sockets) > 0 {
		s := f.Sockets[0]
		return fmt.Errorf("%s %s is there on %s, and no process holds it: the kernel itself does (NFS, a tunnel), or its owner could not be read", s.Protocol, s.Local, n.Name())
	}
	text := fmt.Sprintf("no process on %s has port %d, in %s", n.Name(), f.Port, counted(f.Namespaces, "network namespace", "network namespaces"))
	if notes := n.HostPorts(f.Port); len(notes) > 0 {
		return fmt.Errorf("%s; %s", text, strings.Join(notes, "; "))
	}
	return fmt.Errorf("%s; a Service's port is redirected by kube-proxy, and no process holds it: kubectl get services -A shows those", text)
}

// HostPorts says which pods ask for this port of the node.
func (n *Node) HostPorts(port int) []string {
	if n.Inventory == nil {
		return nil
	}
	var notes []string
	for _, p := range n.Inventory.Pods {
		for _, h := range p.HostPorts {
			if int(h.HostPort) == port {
				notes = append(notes, fmt.Sprintf("%s port %d of the node leads to port %d of container %s in pod %s/%s (hostPort)",
					report.Clean(h.Protocol), h.HostPort, h.Port, h.Container, p.Namespace, p.Name))
			}
		}
	}
	return notes
}
