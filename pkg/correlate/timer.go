package correlate

import (
	"cmp"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/calendar"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// TimerInfo is a timer that starts a unit, systemd.timer(5).
type TimerInfo struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Files       []string `json:"files,omitempty"`
	// User: it is one of a user's manager.
	User bool `json:"user,omitempty"`
	// Enabled: something starts the timer at boot. Of a user's only what is
	// enabled for all users is known.
	Enabled bool `json:"enabled"`
	// Triggers are its settings as they stand, "OnCalendar=daily".
	Triggers   []string `json:"triggers,omitempty"`
	Persistent bool     `json:"persistent,omitempty"`
	// DelaySeconds: each run comes up to so much later, at random.
	DelaySeconds float64 `json:"delaySeconds,omitempty"`
	// LastRun and how it is known, or why not; in the node's time zone.
	LastRun   *time.Time `json:"lastRun,omitempty"`
	LastRunBy string     `json:"lastRunBy"`
	// NextRun is without the delay. NextRunBy tells why there is none, or what
	// else must happen before.
	NextRun   *time.Time `json:"nextRun,omitempty"`
	NextRunBy string     `json:"nextRunBy,omitempty"`
}

// A node may claim any number of timers; each costs a search of the calendar.
const maxTimers, maxTriggers = 32, 16

// timersOf are those that start the unit of a process, and its user's unit.
func (n *Node) timersOf(unit, cgroup string) []TimerInfo {
	list := n.timers(startedUnit{name: unit})
	if manager, name := report.UserUnitOf(cgroup); name != "" {
		list = append(list, n.timers(startedUnit{name, manager})...)
	}
	return list
}

// startedUnit is a unit of a user's manager, "" for the system's.
type startedUnit struct{ name, manager string }

// has says whether a process's cgroup is that of the unit.
func (u startedUnit) has(p Place) bool {
	if u.manager == "" {
		return p.Unit == u.name
	}
	manager, name := report.UserUnitOf(p.Path)
	return manager == u.manager && name == u.name
}

// timers are those that start a unit.
func (n *Node) timers(unit startedUnit) []TimerInfo {
	if n.Report.Background == nil {
		return nil
	}
	var list []TimerInfo
	for _, t := range n.Report.Background.Timers {
		if t.Starts == unit.name && t.User == (unit.manager != "") && len(list) < maxTimers {
			list = append(list, n.timer(t, unit))
		}
	}
	return list
}

func (n *Node) timer(t report.Timer, unit startedUnit) TimerInfo {
	info := TimerInfo{Name: t.Name, Description: report.ExpandUnit(last(t.Unit, "Unit", "Description"), t.Name), Files: filesOf(t.Unit),
		User: t.User, Enabled: len(t.WantedBy) > 0, Persistent: yes(last(t.Unit, "Timer", "Persistent"))}
	if d, err := calendar.ParseSpan(last(t.Unit, "Timer", "RandomizedDelaySec")); err == nil {
		info.DelaySeconds = d.Seconds()
	}
	n.lastRun(&info, t, unit)
	triggers := triggersOf(t.Unit)
	for _, s := range triggers {
		info.Triggers = append(info.Triggers, s.Key+"="+s.Value)
	}
	n.nextRun(&info, triggers)
	// A timer waits for what it has started before it looks at its clock again.
	if _, running := n.unitStarted(unit); running && info.NextRun != nil {
		info.NextRunBy = "if the timer started the run that is on, not before that has ended"
	}
	return info
}

// triggersOf are the settings that make a timer elapse. An empty one resets all
// that stand before it, of every kind.
func triggersOf(u report.Unit) []report.Setting {
	var triggers []report.Setting
	for _, f := range u.Files {
		for _, s := range f.Settings {
			switch {
			case s.Section != "Timer" || !strings.HasPrefix(s.Key, "On") || s.Key != "OnCalendar" && !strings.HasSuffix(s.Key, "Sec"):
			case s.Value == "":
				triggers = triggers[:0]
			case len(triggers) < maxTriggers:
				triggers = append(triggers, s)
			}
		}
	}
	return triggers
}

// startSlack lies between a timer's elapsing and the start of its unit's first
// process, as two clocks of the node tell them.
const startSlack = 30 * time.Second

// lastRun: a persistent timer's stamp file is written when it elapses (and once
// when it is first started); for the others the unit itself tells.
func (n *Node) lastRun(info *TimerInfo, t report.Timer, unit startedUnit) {
	zone := n.Zone()
	started, running := n.unitStarted(unit)
	if t.Stamp != nil {
		if at := time.Unix(*t.Stamp, 0).In(zone); inCalendar(at) {
			info.LastRun, info.LastRunBy = &at, "the timer's stamp file, which its first start writes, too"
			if late := started.Sub(at); running && (late < -startSlack || late > startSlack) {
				info.LastRunBy += "; the run that is on began " + started.In(zone).Format(time.DateTime) + ": something else started it"
			}
			return
		}
	}
	if running {
		at := started.In(zone)
		info.LastRun, info.LastRunBy = &at, "the start of "+t.Starts+"'s oldest process, if the timer started it"
		return
	}
	if t.User {
		info.LastRunBy = "unknown: its stamp file would be in the user's home, which is not read, and no process of " + t.Starts + " is left"
		return
	}
	info.LastRunBy = "unknown: the timer keeps no stamp file, and no process of " + t.Starts + " is left"
}

// unitStarted is when the oldest process of a unit started.
func (n *Node) unitStarted(unit startedUnit) (time.Time, bool) {
	var oldest *report.Process
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		if unit.has(n.place(p)) && !p.Blocked && (oldest == nil || p.StartTicks < oldest.StartTicks) {
			oldest = p
		}
	}
	if oldest == nil {
		return time.Time{}, false
	}
	return n.started(oldest)
}

// nextRun is the earliest that any trigger tells.
func (n *Node) nextRun(info *TimerInfo, triggers []report.Setting) {
	if n.Report.Node.Now == 0 {
		info.NextRunBy = "unknown: the report does not say what time it was on the node"
		return
	}
	for _, s := range triggers {
		at, why := n.elapse(info, s)
		switch {
		case why != "":
			info.NextRunBy = cmp.Or(info.NextRunBy, why)
		case info.NextRun == nil || at.Before(*info.NextRun):
			info.NextRun = &at
		}
	}
	switch {
	case info.NextRun != nil:
		info.NextRunBy = ""
	case len(triggers) == 0:
		info.NextRunBy = "unknown: its files have no OnCalendar= and the like"
	}
}

// elapse is when one trigger comes next, or why nobody can tell.
func (n *Node) elapse(info *TimerInfo, s report.Setting) (at time.Time, why string) {
	now := time.Unix(n.Report.Node.Now, 0)
	if s.Key == "OnCalendar" {
		e, err := calendar.Parse(s.Value)
		if err != nil {
			return at, "unknown: " + err.Error()
		}
		if next, ok := e.Next(now, n.Zone()); ok && inCalendar(next) {
			return next.In(n.Zone()), ""
		}
		return at, "never again by OnCalendar=" + s.Value
	}
	span, err := calendar.ParseSpan(s.Value)
	if err != nil {
		return at, "unknown: " + err.Error()
	}
	if span == calendar.Forever {
		return at, "never, by " + s.Key + "=infinity"
	}
	base := time.Time{}
	switch s.Key {
	case "OnBootSec", "OnStartupSec":
		base = time.Unix(n.Report.Node.BootTime, 0)
		why = "not before the next boot"
	case "OnUnitActiveSec":
		why = "by " + s.Key + ", counted from a start that is not known"
		if info.LastRun != nil {
			base, why = *info.LastRun, "due, and waiting for the run that is on"
		}
	case "OnUnitInactiveSec":
		return at, span.String() + " after the run that is on has ended"
	default: // OnActiveSec, OnClockChange …
		return at, "by " + s.Key + ", counted from the timer's own start, which no file tells"
	}
	if at = base.Add(span).In(n.Zone()); base.IsZero() || !at.After(now) || !inCalendar(at) {
		return at, why
	}
	return at, ""
}

// Zone is the node's time zone: its own file's rules, else UTC.
func (n *Node) Zone() *time.Location {
	if n.zone == nil {
		n.zone = time.UTC
		if b := n.Report.Background; b != nil && len(b.Zone.TZif) > 0 {
			if zone, err := time.LoadLocationFromTZData(b.Zone.Name, b.Zone.TZif); err == nil {
				n.zone = zone
			}
		}
	}
	return n.zone
}

// inCalendar: a node may claim any time; JSON has none after the year 9999.
func inCalendar(t time.Time) bool {
	year := t.UTC().Year()
	return year >= 1970 && year < 9999
}
