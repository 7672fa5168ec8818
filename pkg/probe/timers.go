//go:build linux

package probe

import (
	"path"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	maxTimers     = 1024 // looked at
	maxTimersKept = 32
	stampDir      = "/var/lib/systemd/timers"
)

// timers finds the timers that start one of the wanted units: by Unit=, else by
// their own name. A user's stamp files are in the home, which is not read.
func (b *background) timers(files *unitFiles, wanted map[string]bool, user bool) {
	wants := files.wants()
	for _, name := range files.timerNames(wants) {
		unit := files.read(name, func(section, key string) bool { return section == "Timer" || describes(section, key) })
		// The names are those of files, and anybody's; units come from cgroups'
		// paths, which are escaped already.
		unit.Name, unit.User = report.Escape(name), user
		starts := startedBy(unit)
		if !wanted[starts] || unit.Masked {
			continue
		}
		if len(b.out.Timers) == maxTimersKept {
			b.bad.add("timers", errTooMany)
			return
		}
		t := report.Timer{Unit: unit, Starts: starts, WantedBy: wants[name]}
		if !user {
			t.Stamp = b.stamp(name)
		}
		b.out.Timers = append(b.out.Timers, t)
	}
}

func (b *background) stamp(timer string) *int64 {
	stamp := path.Join(stampDir, "stamp-"+timer)
	written, err := b.root.ModTime(stamp)
	if err == nil {
		seconds := written.Unix()
		return &seconds
	}
	if !hostfs.Gone(err) {
		b.bad.add(stamp, err)
	}
	return nil
}

// timerNames are all timers on the node, the enabled instances of templates
// among them.
func (u *unitFiles) timerNames(wants map[string][]string) []string {
	var names []string
	add := func(name string) {
		if strings.HasSuffix(name, ".timer") && !strings.HasSuffix(name, "@.timer") {
			names = append(names, name)
		}
	}
	for _, dir := range u.dirs {
		for _, name := range dir.names {
			add(name)
		}
	}
	for name := range wants {
		add(name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > maxTimers {
		u.bad.add("timers", errTooMany)
	}
	return names[:min(len(names), maxTimers)]
}

// wants maps a timer to the directories that enable it: x.target.wants and
// x.target.requires.
func (u *unitFiles) wants() map[string][]string {
	by := map[string][]string{}
	for _, dir := range u.dirs {
		for _, sub := range dir.names {
			if !strings.HasSuffix(sub, ".wants") && !strings.HasSuffix(sub, ".requires") {
				continue
			}
			for _, name := range u.names(path.Join(dir.path, sub)) {
				if strings.HasSuffix(name, ".timer") {
					by[name] = append(by[name], report.Escape(path.Join(dir.path, sub)))
				}
			}
		}
	}
	return by
}

// startedBy is the unit that a timer starts.
func startedBy(unit report.Unit) string {
	starts := strings.TrimSuffix(unit.Name, ".timer") + ".service"
	for _, f := range unit.Files {
		for _, s := range f.Settings {
			if s.Section == "Timer" && s.Key == "Unit" && s.Value != "" {
				starts = s.Value
			}
		}
	}
	return report.ExpandUnit(starts, unit.Name)
}
