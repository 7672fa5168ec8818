package report

import (
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Both sides ask what a process's cgroups say: the probe, which files it has to
// read, and the reader, which of them are about the process. So the answers
// are given here, once.

// ByWeight are the entries in the order in which they count. v1 has a path per
// hierarchy and a process may sit deeper in one than in another: resource
// controllers come before systemd's own hierarchy, since they are what the
// kubelet accounts by.
func (c Cgroup) ByWeight() []CgroupEntry {
	sorted := slices.Clone(c.Entries)
	sort.SliceStable(sorted, func(a, b int) bool { return sorted[a].weight() < sorted[b].weight() })
	return sorted
}

func (e CgroupEntry) weight() int {
	switch {
	case strings.Contains(e.Controllers, "memory"), strings.Contains(e.Controllers, "pids"):
		return 0
	case e.Controllers == "": // v2
		return 1
	case strings.Contains(e.Controllers, "name=systemd"):
		return 2
	}
	return 3
}

// Unit is the systemd unit of the first entry that is in one, "" for none.
func (c Cgroup) Unit() string {
	for _, e := range c.ByWeight() {
		if unit := UnitOf(e.Path); unit != "" {
			return unit
		}
	}
	return ""
}

// UnitOf is the systemd unit of a path: the outermost element named as one, as
// systemd itself has it (cg_path_get_unit); what a service creates below its
// own cgroup is still that service. Slices are no units, and above them may
// stand the cgroup of a container that systemd runs in. A leading '_' is
// systemd's escape for a name that would collide with the kernel's files.
func UnitOf(path string) string {
	// A v2 cgroup that was removed while a zombie still names it.
	for e := range strings.SplitSeq(strings.TrimSuffix(path, " (deleted)"), "/") {
		for _, suffix := range []string{".service", ".scope", ".mount", ".socket", ".swap"} {
			if strings.HasSuffix(e, suffix) {
				return strings.TrimPrefix(e, "_")
			}
		}
	}
	return ""
}

// UserUnit is the unit of a user's manager that the first entry is in, "" for
// none.
func (c Cgroup) UserUnit() string {
	for _, e := range c.ByWeight() {
		if _, unit := UserUnitOf(e.Path); unit != "" {
			return unit
		}
	}
	return ""
}

// UserUnitOf is the last unit below a user's manager, and that manager,
// "user@1000.service"; "" for none.
func UserUnitOf(path string) (manager, unit string) {
	_, below, ok := strings.Cut(path, "/user@")
	if !ok {
		return "", ""
	}
	elements := strings.Split(strings.TrimSuffix(below, " (deleted)"), "/")
	for _, e := range elements[1:] {
		if strings.HasSuffix(e, ".service") || strings.HasSuffix(e, ".scope") {
			unit = strings.TrimPrefix(e, "_")
		}
	}
	return "user@" + elements[0], unit
}

// Where logind keeps its records.
const (
	SessionDir = "/run/systemd/sessions/"
	UserDir    = "/run/systemd/users/"
)

// SessionFiles are logind's records of a process, of which the first that is
// there counts: those of the session's scope or the user's manager that its
// cgroups name, then that of the audit session, which pam_loginuid left in it.
func SessionFiles(c Cgroup, r *Rights) []string {
	var files []string
	add := func(dir, id string) {
		if plainID(id) && !slices.Contains(files, dir+id) {
			files = append(files, dir+id)
		}
	}
	for _, entry := range c.ByWeight() {
		for e := range strings.SplitSeq(entry.Path, "/") {
			if id, ok := strings.CutPrefix(e, "session-"); ok {
				add(SessionDir, strings.TrimSuffix(id, ".scope"))
			}
			if uid, ok := strings.CutPrefix(e, "user@"); ok {
				add(UserDir, strings.TrimSuffix(uid, ".service"))
			}
		}
	}
	if r != nil && r.SessionID != nil {
		add(SessionDir, strconv.Itoa(*r.SessionID))
	}
	return files
}

// plainID: letters and digits, as logind names sessions.
func plainID(id string) bool {
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return id != "" && len(id) < 64
}
