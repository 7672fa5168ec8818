package correlate

import "path"

// findShared finds the filesystems that hold more than volumes: the host has a
// directory mounted that those of all volumes are in, as a disk for local volumes,
// or /run for sockets. Who has such a filesystem mounted, or works there, need not
// have the volume.
func (j *mountJoin) findShared() {
	type above struct {
		dir   string // that all volumes' directories are in, "" before the first
		whole bool   // one of them is mounted itself
	}
	all := make([]above, len(j.byFS))
	for i := range j.list {
		if at := &j.at[i]; at.found && at.root == nil && !at.path.Own {
			of, root := &all[j.list[i].FS], path.Join("/", j.list[i].Root) // a namespace's is none
			switch {
			case of.dir == "" || of.dir != root && isBelow(of.dir, root):
				*of = above{root, true}
			case of.dir == root:
				of.whole = true
			default:
				for !isBelow(root, of.dir) {
					*of = above{path.Dir(of.dir), false}
				}
			}
		}
	}
	for i := range j.list {
		of, dir := &all[j.list[i].FS], path.Join("/", j.list[i].Root)
		if at := &j.at[i]; at.root == nil && !at.found && of.dir != "" && isBelow(of.dir, dir) && (of.dir != dir || !of.whole) {
			j.shared[j.list[i].FS] = true
		}
	}
}
