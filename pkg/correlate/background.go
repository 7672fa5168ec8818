package correlate

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Background is what stands behind a process: who or what started it, and who
// lives beside it.
type Background struct {
	Unit   *UnitInfo   `json:"unit,omitempty"`
	Timers []TimerInfo `json:"timers,omitempty"`
	Cron   *CronInfo   `json:"cron,omitempty"`
	// Session is that of a logged-in user, Login what the audit subsystem has
	// kept of one since.
	Session *SessionInfo `json:"session,omitempty"`
	Login   *Login       `json:"login,omitempty"`
	// Siblings live in the same cgroup, the oldest first; SiblingsTotal counts
	// those left out too.
	Siblings      []Sibling `json:"siblings,omitempty"`
	SiblingsTotal int       `json:"siblingsTotal,omitempty"`
	// Devices are those that a kernel thread works for.
	Devices []Device `json:"devices,omitempty"`
}

// CronInfo is the job that started a process.
type CronInfo struct {
	// Daemon is the process that runs the jobs; PID 0 where it is gone.
	Daemon Link `json:"daemon"`
	// Entries lead from the crontab's line to the script. With Ambiguous they
	// are candidates of which at most one did it.
	Entries   []report.CronEntry `json:"entries,omitempty"`
	Ambiguous bool               `json:"ambiguous,omitempty"`
}

// SessionInfo is logind's record of a session or user.
type SessionInfo struct {
	// ID is empty for a user's manager, which outlives sessions.
	ID         string     `json:"id,omitempty"`
	User       string     `json:"user,omitempty"`
	UID        string     `json:"uid,omitempty"`
	TTY        string     `json:"tty,omitempty"`
	RemoteHost string     `json:"remoteHost,omitempty"`
	Service    string     `json:"service,omitempty"`
	Type       string     `json:"type,omitempty"`
	State      string     `json:"state,omitempty"`
	Leader     int        `json:"leader,omitempty"`
	Since      *time.Time `json:"since,omitempty"`
}

// Login is who logged in, whatever user the process runs as now.
type Login struct {
	UID     int    `json:"uid"`
	Name    string `json:"name,omitempty"`
	Session *int   `json:"session,omitempty"`
}

// Sibling is a process in the same cgroup.
type Sibling struct {
	PID        int     `json:"pid"`
	Comm       string  `json:"comm"`
	AgeSeconds float64 `json:"ageSeconds,omitempty"`
}

// background says what stands behind a process of the report.
func (n *Node) background(p *report.Process, b Blame) Background {
	out := Background{}
	if p.Kernel {
		out.Devices = n.devices(p.PID)
		return out
	}
	if b.Owner.Type == OwnerUnit {
		out.Unit = n.unitInfo(b.Owner.Unit, b.Place.Path)
		out.Timers = n.timersOf(b.Owner.Unit, b.Place.Path)
	}
	out.Cron = n.cronOf(p.PID)
	out.Session = n.session(p)
	out.Login = login(p.Detail)
	out.Siblings, out.SiblingsTotal = n.siblings(p)
	return out
}

func (n *Node) cronOf(pid int) *CronInfo {
	if n.Report.Background == nil {
		return nil
	}
	for _, c := range n.Report.Background.Cron {
		if c.PID == pid {
			return &CronInfo{Daemon: Link{PID: c.Daemon, Comm: c.DaemonComm}, Entries: c.Entries, Ambiguous: ambiguous(c.Entries)}
		}
	}
	return nil
}

// ambiguous: several lines fit one process, or any of them only by a mention.
func ambiguous(entries []report.CronEntry) bool {
	fits := map[int]int{}
	for _, e := range entries {
		if e.Line > 0 {
			fits[e.PID]++
		}
		if e.By == report.CronByMention || fits[e.PID] > 1 {
			return true
		}
	}
	return false
}

// maxSiblings bounds the list.
const maxSiblings = 64

// siblings are the other processes of a cgroup. In the root cgroup all live that
// nobody has put anywhere, which makes them no siblings.
func (n *Node) siblings(p *report.Process) ([]Sibling, int) {
	place := n.place(p)
	if place.rank() == 0 {
		return nil, 0
	}
	var all []*report.Process
	for i := range n.Report.Processes.List {
		if q := &n.Report.Processes.List[i]; q.PID != p.PID && !q.Kernel && n.place(q).Path == place.Path {
			all = append(all, q)
		}
	}
	slices.SortFunc(all, func(a, b *report.Process) int { return cmp.Or(cmp.Compare(a.StartTicks, b.StartTicks), a.PID-b.PID) })
	var list []Sibling
	for _, q := range all[:min(len(all), maxSiblings)] {
		list = append(list, Sibling{PID: q.PID, Comm: q.Comm, AgeSeconds: n.age(q)})
	}
	return list, len(all)
}

// session is the first of logind's records that a process's cgroups, or its
// audit session, name.
func (n *Node) session(p *report.Process) *SessionInfo {
	if n.Report.Background == nil || p.Detail == nil {
		return nil
	}
	var cgroup report.Cgroup
	if p.Cgroup >= 0 && p.Cgroup < len(n.Report.Processes.Cgroups) {
		cgroup = n.Report.Processes.Cgroups[p.Cgroup]
	}
	for _, file := range report.SessionFiles(cgroup, p.Detail.Rights) {
		for _, s := range n.Report.Background.Sessions {
			if s.File != file {
				continue
			}
			info := sessionInfo(path.Base(file), s.Values, n.Zone())
			if strings.HasPrefix(file, report.UserDir) { // its DISPLAY is a session, its SERVICE a unit
				info.UID, info.ID, info.TTY, info.Service = info.ID, "", "", ""
			}
			return info
		}
	}
	return nil
}

func sessionInfo(id string, values []report.Setting, zone *time.Location) *SessionInfo {
	v := map[string]string{}
	for _, s := range values {
		v[s.Key] = s.Value
	}
	// A session's file has the user's name in USER, a user's in NAME.
	info := &SessionInfo{ID: id, User: cmp.Or(v["USER"], v["NAME"]), UID: v["UID"], TTY: cmp.Or(v["TTY"], v["DISPLAY"]), RemoteHost: v["REMOTE_HOST"],
		Service: v["SERVICE"], Type: v["TYPE"], State: v["STATE"]}
	info.Leader, _ = strconv.Atoi(v["LEADER"])
	if micros, err := strconv.ParseInt(v["REALTIME"], 10, 64); err == nil && micros > 0 {
		if since := time.UnixMicro(micros).In(zone).Truncate(time.Second); inCalendar(since) {
			info.Since = &since
		}
	}
	return info
}

func login(d *report.ProcessDetail) *Login {
	if d == nil || d.Rights == nil || d.Rights.LoginUID == nil {
		return nil
	}
	return &Login{UID: *d.Rights.LoginUID, Name: d.Rights.LoginName, Session: d.Rights.SessionID}
}
