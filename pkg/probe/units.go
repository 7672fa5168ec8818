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
	maxUnitDir      = 8192 // names per directory; a full system has some 400
	maxUnitFile     = 256 << 10
	maxUnitSettings = 64
	maxSettingValue = 1024
	maxDropIns      = 64
)

// unitPath are the directories of the system's units, systemd.unit(5), the
// first has precedence. Those below /lib are the same ones again wherever /usr
// is merged.
func unitPath() []string {
	return []string{
		"/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient", "/run/systemd/generator.early",
		"/etc/systemd/system", "/etc/systemd/system.attached", "/run/systemd/system", "/run/systemd/system.attached",
		"/run/systemd/generator", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
		"/run/systemd/generator.late",
	}
}

// unitFiles finds units by the names in their directories, each read once.
type unitFiles struct {
	root *hostfs.Root
	bad  unreadable
	dirs []unitDir
	// showSecrets leaves descriptions as they are.
	showSecrets bool
}

type unitDir struct {
	path  string
	names []string // sorted
}

// userUnitPath are those of users' managers that are the node's own. A user's
// are in the home and in /run/user: there the user may mount FUSE at any
// moment, and a reader would wait for it.
func userUnitPath() []string {
	return []string{"/etc/systemd/user", "/run/systemd/user", "/usr/local/share/systemd/user", "/usr/share/systemd/user",
		"/usr/local/lib/systemd/user", "/usr/lib/systemd/user"}
}

func openUnitFiles(root *hostfs.Root, path []string, bad unreadable, showSecrets bool) *unitFiles {
	u := &unitFiles{root: root, bad: bad, showSecrets: showSecrets}
	seen := map[string]bool{}
	for _, dir := range path {
		resolved, err := root.Resolve(dir)
		if err == nil && seen[resolved] {
			continue
		}
		seen[resolved] = true
		if names := u.names(resolved); len(names) > 0 {
			u.dirs = append(u.dirs, unitDir{resolved, names})
		}
	}
	return u
}

// names lists a directory, in order; one that is not there is empty.
func (u *unitFiles) names(dir string) []string {
	names, err := u.root.ReadDirNames(dir, maxUnitDir)
	if err != nil && !hostfs.Gone(err) {
		u.bad.add(dir, err)
	}
	if len(names) == maxUnitDir {
		u.bad.add(dir, errTooMany)
	}
	slices.Sort(names)
	return names
}

func (d unitDir) has(name string) bool {
	_, found := slices.BinarySearch(d.names, name)
	return found
}

// read reads a unit: its own file, or that of its template, and all drop-ins.
func (u *unitFiles) read(name string, want func(section, key string) bool) report.Unit {
	unit := report.Unit{Name: name}
	for _, candidate := range []string{name, hostfs.UnitTemplate(name)} {
		i := slices.IndexFunc(u.dirs, func(d unitDir) bool { return candidate != "" && d.has(candidate) })
		if i < 0 {
			continue
		}
		content, file, err := u.root.ReadLinked(path.Join(u.dirs[i].path, candidate), maxUnitFile)
		switch {
		case file == "/dev/null" || err == nil && len(content) == 0:
			unit.Masked = true
		case err != nil:
			u.bad.add(path.Join(u.dirs[i].path, candidate), err)
		default:
			unit.Files = append(unit.Files, u.file(file, content, want))
		}
		break
	}
	for _, file := range u.dropIns(name) {
		content, resolved, err := u.root.ReadLinked(file, maxUnitFile)
		switch {
		case resolved == "/dev/null":
		case err != nil:
			u.bad.add(file, err)
		default:
			unit.Files = append(unit.Files, u.file(resolved, content, want))
		}
	}
	return unit
}

// dropIns are the files that extend a unit, by their names' order. Of two with
// one name the more specific directory counts, and then the earlier in the path.
func (u *unitFiles) dropIns(name string) []string {
	byName := map[string]string{}
	for _, sub := range hostfs.DropInDirs(name) {
		for _, dir := range u.dirs {
			if !dir.has(sub) {
				continue
			}
			for _, file := range u.names(path.Join(dir.path, sub)) {
				if _, taken := byName[file]; !taken && strings.HasSuffix(file, ".conf") && len(byName) < maxDropIns {
					byName[file] = path.Join(dir.path, sub, file)
				}
			}
		}
	}
	return sortedValues(byName)
}

func sortedValues(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	values := make([]string, 0, len(m))
	for _, k := range keys {
		values = append(values, m[k])
	}
	return values
}

func (u *unitFiles) file(file string, content []byte, want func(section, key string) bool) report.UnitFile {
	f := report.UnitFile{Path: report.Escape(file)}
	for _, s := range hostfs.ParseUnitFile(content, want) {
		if len(f.Settings) == maxUnitSettings {
			break
		}
		// systemd-run describes a unit by its whole command line.
		if s.Key == "Description" && !u.showSecrets {
			s.Value = hostfs.RedactCommand(s.Value)
		}
		limit := maxSettingValue
		if s.Key == "ExecStart" { // read here, and not reported
			limit = maxUnitFile
		}
		f.Settings = append(f.Settings, report.Setting{Section: report.Escape(s.Section), Key: report.Escape(s.Key),
			Value: report.Escape(s.Value[:min(len(s.Value), limit)])})
	}
	return f
}

// describes are the settings that tell what a unit is.
func describes(section, key string) bool {
	return section == "Unit" && (key == "Description" || key == "SourcePath")
}

// units reads the units of the asked processes, and the timers behind them.
func (b *background) units() {
	b.unitsOf(false, unitPath(), report.Cgroup.Unit)
	b.unitsOf(true, userUnitPath(), report.Cgroup.UserUnit)
}

// unitsOf does so for the system's manager, or for those of users.
func (b *background) unitsOf(user bool, path []string, unitOf func(report.Cgroup) string) {
	wanted := map[string]bool{}
	var names []string
	for _, p := range b.of {
		if name := unitOf(b.cgroup(p)); name != "" && !wanted[name] {
			wanted[name] = true
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	files := openUnitFiles(b.root, path, b.bad, b.req.ShowSecrets)
	for _, name := range names {
		unit := files.read(name, describes)
		unit.User = user
		b.out.Units = append(b.out.Units, unit)
	}
	b.timers(files, wanted, user)
}
