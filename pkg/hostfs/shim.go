package hostfs

import (
	"path"
	"strings"
)

// Shim is a container runtime's monitor process: containerd-shim(-runc-v2),
// docker-containerd-shim, or cri-o's conmon.
type Shim struct {
	// ID is the container or, for containerd's v2 shims, the pod sandbox.
	ID     string
	Bundle string // "" where the arguments do not tell
	// States is where its runc or crun keeps its state, a directory for each
	// container; "" where the arguments do not tell.
	States string
}

// ParseShim recognizes a shim by its arguments; ok is false for all others.
// Who calls it must know from the cgroup that no container runs this process:
// arguments prove nothing.
//
//	containerd-shim-runc-v2 -namespace k8s.io -id <id> -address /run/containerd/containerd.sock
//	containerd-shim -namespace moby -workdir …/io.containerd.runtime.v1.linux/moby/<id> -address …
//	docker-containerd-shim <id> /var/run/docker/libcontainerd/<id> docker-runc    RHEL: …-shim-current
//	conmon -b /run/containers/storage/overlay-containers/<id>/userdata -c <id> … --runtime-arg --root=/run/crun
func ParseShim(args []string) (s Shim, ok bool) {
	if len(args) == 0 {
		return s, false
	}
	switch name := path.Base(args[0]); {
	case name == "conmon":
		s = Shim{ID: option(args, "c", "cid"), Bundle: option(args, "b", "bundle"), States: option(args, "root")}
	case strings.HasPrefix(name, "containerd-shim"), strings.HasPrefix(name, "docker-containerd-shim"):
		s = Shim{ID: option(args, "id"), Bundle: option(args, "bundle")}
		if dir := option(args, "workdir"); s.ID == "" && dir != "" {
			s = Shim{ID: path.Base(dir), Bundle: dir}
		}
		if root := option(args, "runtime-root"); root != "" {
			s.States = path.Join(root, option(args, "namespace"))
		}
		if s.ID == "" && len(args) > 2 && IsContainerID(args[1]) {
			s = Shim{ID: args[1], Bundle: args[2]}
		}
	}
	return s, s.ID != ""
}

// option is the value of the first of names among args, as "-n v", "--n v" or
// "-n=v".
func option(args []string, names ...string) string {
	for i, a := range args {
		key, value, given := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if len(a) < 2 || a[0] != '-' {
			continue
		}
		for _, n := range names {
			switch {
			case key != n:
			case given:
				return value
			case i+1 < len(args):
				return args[i+1]
			}
		}
	}
	return ""
}

// IsContainerID says whether s has the form of a container id: 64 hexadecimal
// digits, by docker, containerd's CRI and cri-o alike.
func IsContainerID(s string) bool { return len(s) == 64 && isHex(s) }

// IsContainerName says whether containerd takes s as a container's name (its package
// identifiers): letters, digits, and "._-" between them, 76 at most.
func IsContainerName(s string) bool {
	const most, between = 76, "._-"
	if s == "" || len(s) > most || strings.ContainsRune(between, rune(s[0])) {
		return false
	}
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !strings.ContainsRune(between, c) {
			return false
		}
	}
	return true
}

func isHex(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}
