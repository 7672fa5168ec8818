package correlate

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// oomTogether: a container's status and the log's line of its kill, which have
// two clocks, are at most so far apart; and what the log's clock drifts by, which
// grows with the uptime.
const oomTogether = 10 * time.Second

// joinOOMStatuses adds what statuses of containers say: OOMKilled.
func (n *Node) joinOOMStatuses(victims map[oomKey]*OOMVictim, events []oomEvent) {
	if n.Inventory == nil {
		return
	}
	for i := range n.Inventory.Pods {
		pod := &n.Inventory.Pods[i]
		for _, c := range pod.Containers {
			for _, end := range c.OOMKilled {
				if !n.markOOM(victims, events, pod, c.Name, end) {
					n.addOOMStatus(victims, pod, c, end)
				}
			}
		}
	}
}

// markOOM says whether the log has that end, too.
func (n *Node) markOOM(victims map[oomKey]*OOMVictim, events []oomEvent, pod *inventory.Pod, container string, end inventory.Termination) bool {
	slack := oomTogether + time.Duration(n.Report.Node.Uptime/10_000)*time.Second
	found := false
	for i := range events {
		e := &events[i]
		if e.owner.PodUID == "" || e.owner.PodUID != nodeUID(pod) {
			continue
		}
		same := end.ID != "" && podPlace(e.kill.Cgroup).ContainerID == end.ID
		if !same && e.at != nil && end.FinishedAt > 0 && (e.owner.Container == container || e.owner.Container == "") {
			same = time.Unix(end.FinishedAt, 0).Sub(*e.at).Abs() <= slack
		}
		if same {
			victims[oomKey{owner: e.owner, comm: e.kill.Comm, scope: e.scope}].API, found = true, true
		}
	}
	return found
}

func (n *Node) addOOMStatus(victims map[oomKey]*OOMVictim, pod *inventory.Pod, c inventory.Container, end inventory.Termination) {
	owner := Owner{Type: OwnerPod, Namespace: pod.Namespace, Pod: pod.Name, PodUID: nodeUID(pod), PodState: PodKnown, Static: pod.ConfigHash != "", Workload: pod.Workload, Container: c.Name}
	apiVictim(victims, owner, "", "", 1, time.Unix(end.FinishedAt, 0), end.FinishedAt)
}

// apiVictim adds what the API server alone knows of.
func apiVictim(victims map[oomKey]*OOMVictim, owner Owner, comm, scope string, kills int, at time.Time, seconds int64) *OOMVictim {
	key := oomKey{owner: owner, comm: comm, scope: scope, apiOnly: true}
	v := victims[key]
	if v == nil {
		v = &OOMVictim{Owner: owner, Comm: comm, Scope: scope, API: true, APIOnly: true}
		victims[key] = v
	}
	v.Kills += kills
	at = at.UTC()
	if seconds <= 0 || !inCalendar(at) {
		return v
	}
	if v.Last == nil || at.After(*v.Last) {
		v.Last = &at
	}
	if v.First == nil || at.Before(*v.First) {
		v.First = &at
	}
	return v
}

// Events of a node: the node problem detector's OOMKilling repeats the kernel's
// lines, of which the last names who was killed; the kubelet's SystemOOM has a name
// and a number.
//
//	Out of memory: Kill process 62685 (bash) score 9 or sacrifice child Killed process 62769 (cp), UID 0, total-vm:826516kB, …
//	Memory cgroup out of memory: Killed process 3504804 (kubectl) total-vm:753508kB, …
//	System OOM encountered, victim process: updatedb, pid: 1337531
var (
	oomKilling = regexp.MustCompile(`Kill(?:ed)? process (\d+)(?:, UID \d+,)? \((.{0,15}?)\)(?:[ ,]|$)`)
	systemOOM  = regexp.MustCompile(`^System OOM encountered, victim process: (.{0,15}), pid: (\d+)$`)
)

// joinOOMEvents adds what events tell of that the log no longer has.
func (n *Node) joinOOMEvents(victims map[oomKey]*OOMVictim, events []oomEvent) {
	if n.Inventory == nil || n.Inventory.Memory == nil {
		return
	}
	known := map[int]bool{}
	for i := range events {
		known[events[i].kill.PID] = true
	}
	since := n.OOMSince()
	for _, e := range n.Inventory.Memory.Events {
		comm, pid, scope := parseOOMEvent(e)
		comm = report.Escape(comm)
		if pid == 0 || known[pid] || since != nil && e.Last > since.Unix()+int64(oomTogether/time.Second) {
			continue
		}
		known[pid] = true
		v := apiVictim(victims, Owner{Type: OwnerUnknown}, comm, scope, 1, time.Unix(e.Last, 0), e.Last)
		v.Kill.PID, v.Kill.Comm = pid, comm
	}
}

func parseOOMEvent(e inventory.Event) (comm string, pid int, scope string) {
	number := ""
	switch e.Reason {
	case "OOMKilling":
		all := oomKilling.FindAllStringSubmatch(e.Message, -1)
		if all == nil {
			return "", 0, ""
		}
		number, comm = all[len(all)-1][1], all[len(all)-1][2]
		switch {
		case strings.HasPrefix(e.Message, "Memory cgroup out of memory"):
			scope = ScopeCgroup
		case strings.HasPrefix(e.Message, "Out of memory"):
			scope = ScopeNode
		}
	case "SystemOOM":
		m := systemOOM.FindStringSubmatch(e.Message)
		if m == nil {
			return "", 0, ""
		}
		scope, comm, number = ScopeNode, m[1], m[2]
	}
	pid, _ = strconv.Atoi(number)
	return comm, pid, scope
}
