//go:build linux

package probe

import (
	"path"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// places is what is known of the host's namespace by path. Paths are raw.
type places struct {
	// at is the filesystem at each mount point; of several the last made.
	at map[string]int32
	// untouched are mount points below which nothing is opened.
	untouched map[string]bool
	// dataDirs are directories that a vol_data.json may lie in.
	dataDirs []string
	// fs is by index of report.Mounts.Filesystems.
	fs []placesOf
}

// placesOf one filesystem.
type placesOf struct {
	volume, system bool
	whole          bool   // it is mounted as a volume, and no directory of it
	point, root    string // of its mount with the shortest point
}

func newPlaces() *places { return &places{at: map[string]int32{}, untouched: map[string]bool{}} }

// add notes a mount of the host's namespace.
func (p *places) add(fs int, fstype, point, root string) {
	volume, copied := isVolumePath(point), isCopy(point)
	// A driver's pod may mount a directory of the kubelet's upon itself.
	mounted := volume && p.find(path.Dir(point)) != fs
	p.at[point] = int32(fs)
	if mounted || copied || hostfs.Remote(fstype) || fstype == "overlay" && point != "/" {
		p.untouched[point] = true
	}
	if dir := volumeDataDir(point); dir != "" && !copied {
		p.dataDirs = append(p.dataDirs, dir)
	}
	for len(p.fs) <= fs {
		p.fs = append(p.fs, placesOf{})
	}
	of := &p.fs[fs]
	if of.point == "" || len(point) < len(of.point) {
		of.point, of.root = point, root
	}
	of.volume, of.whole = of.volume || volume, of.whole || volume && !copied && root == "/"
	of.system = of.system || !volume && !copied && !strings.HasPrefix(point, "/mnt/") && !strings.HasPrefix(point, "/media/")
}

// isVolumePath tells the kubelet's directories of volumes: below pods/UID those
// that pods get, in plugins where they are staged.
func isVolumePath(point string) bool {
	return strings.Contains(point, "/plugins/") || strings.Contains(point, "/volume-subpaths/") ||
		strings.Contains(point, "/pods/") && (strings.Contains(point, "/volumes/") || strings.Contains(point, "/volumeDevices/"))
}

// isCopy: below a container's root directory, as overlayfs (merged) and OCI
// bundles (rootfs) have it.
func isCopy(point string) bool {
	return strings.Contains(point, "/merged/") || strings.Contains(point, "/rootfs/")
}

// volume says whether a filesystem is one whose users are sought: one that pods
// get, one that a server or daemon serves, or a disk that is none of the node's. One
// that is mounted whole as a volume is that wherever else it is: Kata and Portworx
// have it in directories of their own, too.
func (p *places) volume(fs int, f report.Filesystem) bool {
	var of placesOf
	if fs < len(p.fs) {
		of = p.fs[fs]
	}
	return hostfs.Remote(f.Type) && f.Type != "autofs" || of.whole || !of.system && (of.volume || strings.HasPrefix(f.Source, "/dev/"))
}

// find is the filesystem that a path of the host lies on, -1 for none.
func (p *places) find(path string) int {
	fs := -1
	hostfs.EachParent(path, func(parent string) bool {
		at, mounted := p.at[parent]
		if mounted {
			fs = int(at)
		}
		return !mounted
	})
	return fs
}

// hostPath is where the host has a directory of a filesystem, "" where it does
// not, or nobody knows; "/" ends no path.
func (p *places) hostPath(fs int, dir string) (path string, ok bool) {
	if fs < 0 || fs >= len(p.fs) || p.fs[fs].point == "" {
		return "", false
	}
	of := p.fs[fs]
	below, ok := strings.CutPrefix(dir, strings.TrimSuffix(of.root, "/"))
	if !ok || below != "" && below[0] != '/' {
		return "", false
	}
	return strings.TrimSuffix(strings.TrimSuffix(of.point, "/")+below, "/"), true
}
