package correlate

import (
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Node is a report joined with an inventory. It serves one goroutine.
type Node struct {
	Report    *report.NodeReport
	Inventory *inventory.Inventory // nil: the API server was not asked
	// Elsewhere: the report is of no cluster's API server, and not of this machine
	// either, as one that a script has made.
	Elsewhere bool

	processes map[int]*report.Process
	places    []Place // of report.Processes.Cgroups
	// runsIn is the container that the node itself is (kind, docker in docker):
	// its process 1 lives there. ownRoot is its path, where the node's own has it.
	runsIn, ownRoot string

	ancestors  map[int]*report.Process // see decidingAncestor
	zone       *time.Location          // see Zone
	containers map[string]report.Container
	podRecords map[string]report.PodRecord // by UID, from the node's files

	podsListed     bool
	podByUID       map[string]*inventory.Pod // by the UID that the node uses
	podByName      map[string]*inventory.Pod
	podByContainer map[string]*inventory.Pod
	podByIP        map[string]*inventory.Pod
	users          map[int]string // the host's names by uid

	mounts *NodeMounts // see Mounts
	memory *memoryTree // see memoryTree
	// kubelet is what Kubelet has computed.
	kubelet *NodeKubelet
}

// Join joins a node's report with what the API server says; inv may be nil.
func Join(r *report.NodeReport, inv *inventory.Inventory) *Node {
	n := &Node{Report: r, Inventory: inv,
		processes: map[int]*report.Process{}, ancestors: map[int]*report.Process{}, containers: map[string]report.Container{}, podRecords: map[string]report.PodRecord{},
		podByUID: map[string]*inventory.Pod{}, podByName: map[string]*inventory.Pod{}, podByContainer: map[string]*inventory.Pod{}, podByIP: map[string]*inventory.Pod{}, users: map[int]string{}}
	n.indexReport()
	if inv != nil {
		n.podsListed = inv.PodsError == ""
		for i := range inv.Pods {
			n.indexPod(&inv.Pods[i])
		}
	}
	return n
}

func (n *Node) indexReport() {
	if c := n.Report.Containers; c != nil {
		for _, record := range c.Pods {
			n.podRecords[record.UID] = record
		}
		for _, container := range c.List {
			n.containers[container.ID] = container
			if container.PodUID != "" && container.PodName != "" {
				n.podRecords[container.PodUID] = report.PodRecord{UID: container.PodUID, Namespace: container.PodNamespace, Name: container.PodName}
			}
		}
	}
	if p := n.Report.Processes; p != nil {
		for i := range p.List {
			n.processes[p.List[i].PID] = &p.List[i]
		}
		for _, u := range p.Users {
			n.users[u.UID] = u.Name
		}
		depths := rootDepths(p)
		if first := n.processes[1]; first != nil && first.Cgroup >= 0 && first.Cgroup < len(p.Cgroups) {
			n.findOwnRoot(fromRoot(p.Cgroups[first.Cgroup], depths))
		}
		for _, c := range p.Cgroups {
			n.places = append(n.places, n.placeOf(fromRoot(c, depths)))
		}
	}
}

func (n *Node) indexPod(p *inventory.Pod) {
	// Whoever may create a pod may annotate it with another's UID for a config
	// hash: a pod's own UID comes first.
	if n.podByUID[nodeUID(p)] == nil || p.ConfigHash == "" {
		n.podByUID[nodeUID(p)] = p
	}
	n.podByName[p.Namespace+"/"+p.Name] = p
	for _, c := range p.Containers {
		if c.ID != "" {
			n.podByContainer[c.ID] = p
		}
	}
	if p.Phase == "Succeeded" || p.Phase == "Failed" { // its addresses may be another's by now
		return
	}
	for _, ip := range p.IPs {
		n.podByIP[canonicalIP(ip)] = p
	}
}

// nodeUID is the pod's UID as the node's cgroups and directories have it.
func nodeUID(p *inventory.Pod) string {
	if p.ConfigHash != "" {
		return p.ConfigHash
	}
	return p.UID
}

// place is where a process lives by its cgroup.
func (n *Node) place(p *report.Process) Place {
	if p.Cgroup < 0 || p.Cgroup >= len(n.places) {
		return Place{}
	}
	return n.places[p.Cgroup]
}

// Age is how long a process has been running, in seconds; 0 where unknown.
func (n *Node) Age(pid int) float64 {
	p, node := n.processes[pid], n.Report.Node
	if p == nil || node.ClockTicks <= 0 || p.Blocked {
		return 0
	}
	return max(node.Uptime-float64(p.StartTicks)/float64(node.ClockTicks), 0)
}

// Gaps are what the answer lacks: collectors that did not finish, what they
// could not read, and what the API server would not say.
func (n *Node) Gaps() []report.Unreadable {
	r := n.Report
	gaps := append([]report.Unreadable{}, r.Probe.Failed...)
	gaps = append(gaps, r.Node.Unreadable...)
	if r.OpenFiles != nil {
		gaps = append(gaps, r.OpenFiles.Unreadable...)
	}
	if r.Processes != nil {
		gaps = append(gaps, r.Processes.Unreadable...)
	}
	if r.Containers != nil {
		gaps = append(gaps, r.Containers.Unreadable...)
	}
	if r.Background != nil {
		gaps = append(gaps, r.Background.Unreadable...)
	}
	if r.Found != nil {
		gaps = append(gaps, r.Found.Unreadable...)
	}
	if r.OOM != nil {
		gaps = append(gaps, r.OOM.Unreadable...)
	}
	if r.Mounts != nil {
		gaps = append(gaps, r.Mounts.Unreadable...)
	}
	if r.Devices != nil {
		gaps = append(gaps, r.Devices.Unreadable...)
	}
	if r.Runtime != nil {
		gaps = append(gaps, r.Runtime.Unreadable...)
	}
	if r.Pipes != nil {
		gaps = append(gaps, r.Pipes.Unreadable...)
	}
	if r.Tasks != nil {
		gaps = append(gaps, r.Tasks.Unreadable...)
	}
	if r.Kubelet != nil {
		gaps = append(gaps, r.Kubelet.Unreadable...)
	}
	if r.Logs != nil {
		gaps = append(gaps, r.Logs.Unreadable...)
	}
	if r.Memory != nil {
		_, _, failed := n.kubeletConfig()
		gaps = append(gaps, failed...)
	}
	if inv := n.Inventory; inv != nil {
		if inv.PodsError != "" {
			gaps = append(gaps, report.Unreadable{What: "pods of the API server", Cause: inv.PodsError})
		}
		if inv.WorkloadsError != "" {
			gaps = append(gaps, report.Unreadable{What: "some workloads", Cause: inv.WorkloadsError})
		}
		gaps = append(gaps, kubeletGaps(inv.Memory)...)
	}
	return gaps
}
