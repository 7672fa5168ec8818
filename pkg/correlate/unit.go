package correlate

import (
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// UnitInfo is a systemd unit as its files on the node describe it.
type UnitInfo struct {
	Name string `json:"name"`
	// Title is the name decoded, where systemd has escaped it.
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	// Files are its fragment and its drop-ins.
	Files []string `json:"files,omitempty"`
	// Source is what a generator made it from: an init script, fstab.
	Source string `json:"source,omitempty"`
	Masked bool   `json:"masked,omitempty"`
	// Slice is the decoded name of the slice around it, where that is escaped.
	Slice string `json:"slice,omitempty"`
	// UserUnit is the unit below a user's manager (user@1000.service), and User
	// what the node's own files for all users say of it. A user's own files, in
	// the home, are not read.
	UserUnit string    `json:"userUnit,omitempty"`
	User     *UnitInfo `json:"user,omitempty"`
}

// unitInfo is what the report has of a unit; nil where it is not about it.
func (n *Node) unitInfo(name, cgroup string) *UnitInfo {
	info := n.unitFilesOf(name, false)
	info.Slice = sliceAround(cgroup)
	if _, info.UserUnit = report.UserUnitOf(cgroup); info.UserUnit != "" {
		info.User = n.unitFilesOf(info.UserUnit, true)
	}
	return info
}

// unitFilesOf is what files say of a unit of the system's manager, or of a user's.
func (n *Node) unitFilesOf(name string, user bool) *UnitInfo {
	info := &UnitInfo{Name: name, Title: unitTitle(name)}
	if n.Report.Background == nil {
		return info
	}
	for _, u := range n.Report.Background.Units {
		if u.Name == name && u.User == user {
			info.Description = report.ExpandUnit(last(u, "Unit", "Description"), name)
			info.Source, info.Masked, info.Files = last(u, "Unit", "SourcePath"), u.Masked, filesOf(u)
		}
	}
	return info
}

// sliceAround is the innermost slice of a path, decoded; "" where its name is plain.
func sliceAround(cgroup string) string {
	title := ""
	for e := range strings.SplitSeq(cgroup, "/") {
		if strings.HasSuffix(e, ".slice") {
			title = unitTitle(e)
		}
	}
	return title
}

func filesOf(u report.Unit) []string {
	files := make([]string, 0, len(u.Files))
	for _, f := range u.Files {
		files = append(files, f.Path)
	}
	return files
}

// last is the value that a setting ends up with.
func last(u report.Unit, section, key string) string {
	value := ""
	for _, f := range u.Files {
		for _, s := range f.Settings {
			if s.Section == section && s.Key == key {
				value = s.Value
			}
		}
	}
	return value
}

// yes reads a boolean of systemd.syntax(7).
func yes(value string) bool {
	switch strings.ToLower(value) {
	case "1", "yes", "y", "true", "t", "on":
		return true
	}
	return false
}
