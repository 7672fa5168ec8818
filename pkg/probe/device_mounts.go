//go:build linux

package probe

import (
	"path"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// mounted lists the devices of the filesystems that are mounted anywhere.
func (d *devices) mounted() {
	if d.report.Mounts == nil {
		return
	}
	sources := &sourceNames{devices: d}
	defer sources.close()
	for _, fs := range d.report.Mounts.Filesystems {
		if !sources.mounted(fs) {
			return
		}
	}
	sources.nodes(d.report.Mounts)
}

// nodes lists the devices that pods have without a filesystem: their node in /dev
// is mounted where a volume would be, and the mount's root is its name.
func (s *sourceNames) nodes(m *report.Mounts) {
	for _, at := range m.List {
		if at.Root == "" || at.FS < 0 || at.FS >= len(m.Filesystems) || m.Filesystems[at.FS].Type != "devtmpfs" || !isVolumePath(at.Point) {
			continue
		}
		if s.byName == nil {
			s.index()
		}
		if i, known := s.byName[strings.TrimPrefix(report.Unescape(at.Root), "/")]; known && s.list(i) == nil {
			return
		}
	}
}

// mounted lists the device of a filesystem; false: there are too many.
func (s *sourceNames) mounted(fs report.Filesystem) bool {
	i, known := s.byNumber[fs.Number]
	anonymous := isAnonymous(fs.Number)
	if anonymous {
		if fs.Type != "btrfs" && fs.Type != "bcachefs" {
			return true
		}
		if i, known = s.find(fs.Source); !known {
			return true
		}
	}
	if !known {
		i = s.add(hostfs.BlockDevice{Name: nameOfSource(fs.Source), Number: fs.Number})
	}
	dev := s.list(i)
	if dev == nil {
		return false
	}
	dev.fstypes = append(dev.fstypes, fs.Type)
	if anonymous {
		dev.FSNumber = fs.Number
	}
	if !known {
		dev.Gone = s.complete
		if name, ok := strings.CutPrefix(fs.Source, "/dev/mapper/"); ok {
			dev.DMName = name
		}
	}
	return true
}

// sourceNames finds devices by the names that mounts have them by.
type sourceNames struct {
	*devices
	byName map[string]int // and "mapper/NAME"
	root   *hostfs.Root
}

func (s *sourceNames) find(source string) (int, bool) {
	if s.byName == nil {
		s.index()
	}
	source = path.Clean(source)
	name, ok := strings.CutPrefix(source, "/dev/")
	if !ok {
		return 0, false
	}
	i, ok := s.byName[name]
	if ok || s.root == nil {
		return i, ok
	}
	// /dev/vg/lv and /dev/disk/by-uuid/… are links, which udev makes.
	resolved, err := s.root.Resolve(source)
	if err != nil {
		return 0, false
	}
	i, ok = s.byName[strings.TrimPrefix(resolved, "/dev/")]
	return i, ok
}

func (s *sourceNames) index() {
	s.byName = map[string]int{}
	for i, b := range s.all {
		if name := s.sys.DMName(b.Name); name != "" {
			s.byName["mapper/"+name] = i
		}
		s.byName[b.Name] = i
	}
	root, err := hostfs.OpenRoot(s.fs, remoteMounts(s.report.Mounts))
	if err != nil {
		s.bad.add("/", err)
		return
	}
	s.root = root
}

func (s *sourceNames) close() {
	if s.root != nil {
		s.root.Close()
	}
}

// remoteMounts tell the reader of links what not to touch.
func remoteMounts(m *report.Mounts) (mounts []hostfs.Mount) {
	for _, at := range m.List {
		if at.FS >= 0 && at.FS < len(m.Filesystems) {
			mounts = append(mounts, hostfs.Mount{Point: at.Point, FSType: m.Filesystems[at.FS].Type})
		}
	}
	return mounts
}
