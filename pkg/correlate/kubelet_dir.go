package correlate

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

const (
	defaultKubeletDir = "/var/lib/kubelet" // --root-dir of the kubelet
	maxNames          = 64                 // of one directory
)

// kubeletDirs are the names under which the kubelet's directory is there. Its
// --root-dir may be a symbolic link, and a bind mount gives it another name.
// Nothing but such a directory holds volumes: that a path looks alike proves
// nothing.
func (j *mountJoin) kubeletDirs() []string {
	root := defaultKubeletDir
	if k := j.n.Report.Kubelet; k != nil && path.IsAbs(k.RootDir) {
		root = path.Clean(k.RootDir)
	}
	seen := map[string]bool{}
	var dirs []string
	add := func(dir string) {
		if dir != "/" && !seen[dir] && len(dirs) < maxNames {
			seen[dir] = true
			dirs = append(dirs, dir)
			for _, name := range j.otherNames(dir) {
				if !seen[name] && len(dirs) < maxNames {
					seen[name] = true
					dirs = append(dirs, name)
				}
			}
		}
	}
	add(root)
	// The CSI plugin's notes, and directories of pods that are known by other
	// means, are where the link leads.
	for i := range j.mounts.VolumeData {
		if dir, _, ok := cutKubeletDir(j.mounts.VolumeData[i].Dir); ok && !inVolume(dir) {
			add(dir)
		}
	}
	for i := range j.list {
		if at := &j.at[i]; at.root == nil && at.found && !seen[at.dir] && j.knowsPod(at.path.PodUID) {
			add(at.dir)
		}
	}
	// A directory within another comes first.
	slices.SortFunc(dirs, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return dirs
}

// inVolume: a node that runs in a pod has its kubelet's directory in a volume of
// that pod. What pods it has is no business of this node's API server.
func inVolume(dir string) bool {
	_, _, ok := findKubeletPath(dir + "/")
	return ok
}

func (j *mountJoin) knowsPod(uid string) bool {
	_, recorded := j.n.podRecords[uid]
	return uid != "" && (recorded || j.n.podByUID[uid] != nil)
}

// otherNames are the paths at which a directory is mounted elsewhere too: of the
// same filesystem, from a directory that it is in.
func (j *mountJoin) otherNames(dir string) []string {
	i := j.under(dir)
	if i < 0 {
		return nil
	}
	on := &j.list[i]
	inside := path.Join("/", on.Root, strings.TrimPrefix(dir, on.Point))
	var names []string
	for i := range j.list {
		m := &j.list[i]
		root := cmp.Or(m.Root, "/")
		if m.FS == on.FS && j.at[i].root == nil && isBelow(inside, root) && len(names) < maxNames {
			names = append(names, path.Join(m.Point, strings.TrimPrefix(inside, root)))
		}
	}
	return names
}

// isBelow says whether a path is dir or in it.
func isBelow(p, dir string) bool {
	return dir == "/" || strings.HasPrefix(p, dir) && (len(p) == len(dir) || p[len(dir)] == '/')
}

// cutKubeletDir splits the directory of a vol_data.json into the kubelet's and
// what is below it.
func cutKubeletDir(dir string) (kubelet, below string, ok bool) {
	for _, sep := range []string{"/plugins/kubernetes.io/csi/", "/pods/"} {
		if i := strings.LastIndex(dir, sep); i > 0 {
			return dir[:i], dir[i+1:], true
		}
	}
	return "", "", false
}

// belowDirs reads a mount point below one of the kubelet's directories. What
// has no form that is known belongs to a driver, but for the directories that a
// node may have disks for.
func (j *mountJoin) belowDirs(point string) (kubeletPath, bool) {
	for _, dir := range j.dirs {
		if len(point) <= len(dir) || !isBelow(point, dir) {
			continue
		}
		e := strings.Split(point[len(dir)+1:], "/")
		if p, ok := belowKubelet(e); ok {
			return p, true
		}
		return kubeletPath{Own: true}, len(e) > 1
	}
	return kubeletPath{}, false
}
