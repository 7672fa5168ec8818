package correlate

import (
	"regexp"
	"slices"
	"strings"
)

// rootPath is a container's root directory by how runtimes name these.
type rootPath struct {
	Path string
	// Key tells root directories apart under whatever name: the container's id,
	// or that of its writable layer.
	Key string
	// Family is the runtime's or the graph driver's directory.
	Family string
	// Namespace is containerd's; Key is the container's id then.
	Namespace string
}

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

// parseRootPath finds the container's root directory that a path leads through,
// the outermost one: what is mounted below it stands in that container.
//
//	…/io.containerd.runtime.v2.task/<namespace>/<id>/rootfs      containerd
//	…/io.containerd.runtime.v1.linux/<namespace>/<id>/rootfs
//	…/overlay2/<layer>/merged     …/overlay/<layer>/merged       docker, cri-o, podman
//	…/aufs/mnt/<layer>            …/devicemapper/mnt/<layer>     docker
//	…/btrfs/subvolumes/<layer>    …/zfs/graph/<layer>
//	…/rootfs/<snapshotter>/<id>                                  docker with containerd's images, its default since 29
func parseRootPath(point string) (rootPath, bool) {
	e := strings.Split(point, "/")
	for i := 1; i+2 < len(e); i++ {
		length, r := 0, rootPath{Family: e[i]}
		switch e[i] {
		case "io.containerd.runtime.v2.task", "io.containerd.runtime.v1.linux":
			if i+3 < len(e) && e[i+3] == "rootfs" {
				length, r.Namespace, r.Key = 4, e[i+1], e[i+2]
			}
		case "overlay2", "overlay", "fuse-overlayfs":
			if e[i+2] == "merged" {
				length, r.Key = 3, e[i+1]
			}
		case "aufs", "devicemapper":
			if e[i+1] == "mnt" {
				length, r.Key = 3, e[i+2]
			}
		case "rootfs":
			if sha256Hex.MatchString(e[i+2]) {
				length, r.Key = 3, e[i+2]
			}
		case "btrfs", "zfs":
			if slices.Contains([]string{"subvolumes", "graph"}, e[i+1]) {
				length, r.Key = 3, e[i+2]
			}
		}
		if length > 0 && r.Key != "" {
			r.Path = strings.Join(e[:i+length], "/")
			return r, true
		}
	}
	return rootPath{}, false
}
