package correlate

import (
	"math"
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Identity answers who a process is.
type Identity struct {
	// Asked is the id that was asked for, Thread says that it is a thread of PID.
	Asked  int     `json:"asked"`
	Thread *Thread `json:"thread,omitempty"`
	PID    int     `json:"pid"`

	// Chain leads from the topmost ancestor down to the process.
	Chain []Link `json:"chain"`
	Owner Owner  `json:"owner"`
	// OwnerBy names the rule by which the owner was found: cgroup, ancestor, shim.
	OwnerBy string `json:"ownerBy"`
	Cgroup  string `json:"cgroup,omitempty"`
	// Shim is set where the process itself watches over a container.
	Shim *Owner `json:"shim,omitempty"`

	Comm    string `json:"comm"`
	Cmdline string `json:"cmdline,omitempty"`
	State   string `json:"state"`
	User    string `json:"user,omitempty"`
	UID     *int   `json:"uid,omitempty"`
	// Started is by the node's clock.
	Started        *time.Time    `json:"started,omitempty"`
	AgeSeconds     float64       `json:"ageSeconds,omitempty"`
	RSSBytes       int64         `json:"rssBytes"`
	Threads        int           `json:"threads"`
	FDs            *int          `json:"fds,omitempty"`
	FDTop          report.Target `json:"fdTop,omitzero"`
	PIDInContainer int           `json:"pidInContainer,omitempty"`
	Exe            string        `json:"exe,omitempty"`
	Cwd            string        `json:"cwd,omitempty"`
	Rights         *Rights       `json:"rights,omitempty"`
	// Listening are the sockets at which it waits, "TCP 0.0.0.0:80".
	Listening []string `json:"listening,omitempty"`
	Background
	// Notes say what may mislead.
	Notes      []string            `json:"notes,omitempty"`
	Unreadable []report.Unreadable `json:"unreadable,omitempty"`
}

// Thread is what a thread has of its own.
type Thread struct {
	Comm  string `json:"comm"`
	State string `json:"state"`
}

// Link is one process of a chain.
type Link struct {
	PID  int    `json:"pid"`
	Comm string `json:"comm"`
}

// Whois identifies a process by its pid or by the id of one of its threads. ok
// is false where the node has no such process.
func (n *Node) Whois(id int) (Identity, bool) {
	p, thread := n.processOf(id)
	if p == nil {
		return Identity{}, false
	}
	b := n.Blame(p)
	i := Identity{Asked: id, Thread: thread, PID: p.PID, Chain: n.chain(p),
		Owner: b.Owner, OwnerBy: b.By, Cgroup: b.Place.Path,
		Comm: p.Comm, Cmdline: p.Cmdline, State: stateName(p.State), RSSBytes: p.RSSBytes, Threads: p.Threads}
	if p.FDs != nil {
		i.FDs = &p.FDs.Count
		if len(p.FDs.Targets) > 0 {
			i.FDTop = p.FDs.Targets[0]
		}
	}
	if p.Shim != nil && b.By == ByCgroup { // else it came out of a container, and only looks like one
		watched := n.ownerAt(Place{ContainerID: p.Shim.ID}, "")
		i.Shim = &watched
	}
	n.addTimes(&i, p)
	i.Background = n.background(p, b)
	i.Listening = listening(p)
	i.Notes = append(n.notes(p, b), n.threadNotes(p, i.Devices)...)
	if p.Detail == nil {
		i.Notes = append(i.Notes, "the report was made without asking for this process: user, exe, cwd and its pid inside the container are not in it")
	} else {
		i.addDetail(p.Detail)
		i.Rights = n.rights(p.Detail)
	}
	return i, true
}

func (i *Identity) addDetail(d *report.ProcessDetail) {
	i.User, i.Exe, i.Cwd, i.Unreadable = d.UserName, d.Exe, d.Cwd, d.Unreadable
	if d.UID >= 0 {
		i.UID = &d.UID
	}
	inContainer := i.Owner.Type == OwnerPod || i.Owner.Type == OwnerContainer
	if ns := d.NSPIDs; inContainer && len(ns) > 1 {
		i.PIDInContainer = ns[len(ns)-1]
	}
}

// processOf finds a process by its id or that of one of its threads.
func (n *Node) processOf(id int) (*report.Process, *Thread) {
	if p := n.processes[id]; p != nil {
		return p, nil
	}
	if n.Report.Processes == nil {
		return nil, nil
	}
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		if p.Detail == nil {
			continue
		}
		for _, t := range p.Detail.Threads {
			if t.ID == id {
				return p, &Thread{Comm: t.Comm, State: stateName(t.State)}
			}
		}
	}
	return nil, nil
}

// maxChain bounds what is shown of a process's ancestors: the node chose them.
const maxChain = 256

func (n *Node) chain(p *report.Process) []Link {
	chain := []Link{{p.PID, p.Comm}}
	seen := map[int]bool{p.PID: true}
	for up := n.processes[p.PPID]; up != nil && !seen[up.PID] && len(chain) < maxChain; up = n.processes[up.PPID] {
		seen[up.PID] = true
		chain = append(chain, Link{up.PID, up.Comm})
	}
	slices.Reverse(chain)
	return chain
}

func (n *Node) addTimes(i *Identity, p *report.Process) {
	if n.Report.Node.ClockTicks <= 0 || n.Report.Node.BootTime == 0 {
		return
	}
	i.AgeSeconds = n.age(p)
	if started, ok := n.started(p); ok {
		started = started.UTC().Truncate(time.Second)
		i.Started = &started
	}
}

// age is Age, rounded for people.
func (n *Node) age(p *report.Process) float64 { return math.Round(n.Age(p.PID)*100) / 100 }

// started is when a process started, by the node's clock; false where the node
// does not say or claims a time that no calendar has.
func (n *Node) started(p *report.Process) (time.Time, bool) {
	node := n.Report.Node
	if node.ClockTicks <= 0 || node.BootTime == 0 || p.Blocked {
		return time.Time{}, false
	}
	afterBoot := float64(p.StartTicks) / float64(node.ClockTicks)
	at := time.Unix(node.BootTime, 0).Add(time.Duration(afterBoot * float64(time.Second)))
	return at, inCalendar(at)
}

// stateName spells proc_pid_stat(5)'s letters out.
func stateName(letter string) string {
	names := map[string]string{"R": "running", "S": "sleeping", "D": "uninterruptible (D)", "Z": "zombie",
		"T": "stopped", "t": "traced", "X": "dead", "I": "idle", "P": "parked"}
	if name := names[letter]; name != "" {
		return name
	}
	return letter
}
