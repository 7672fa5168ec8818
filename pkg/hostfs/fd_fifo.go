package hostfs

import "strings"

// StdioFIFO is a named pipe that carries the stdio of a container or of an exec
// session in it:
//
//	/run/docker/containerd/<container>/<exec id>-stdout             dockerd; "init-stdout" for the container's own
//	/run/docker/libcontainerd/<container>/<exec id>-stdout          dockerd before 17.12; with --userns-remap
//	/run/docker.231072.231072/libcontainerd.231072.231072/<container>/init-stdout
//	/run/containerd/io.containerd.grpc.v1.cri/containers/<container>/io/<n>/<container>-stdout
//	/run/containerd/fifo/<n>/<id>-stdout                            other clients of containerd
//
// containerd's CRI plugin gives the container's own stdio and every exec a
// directory <n> each, under the same name.
type StdioFIFO struct {
	ContainerID string // "" where the path does not tell
	// Session tells the sessions of one container apart; streams of one
	// session share it.
	Session string
	// Init: certainly the container's own stdio. Exec: certainly an exec's.
	Init, Exec bool
}

// ParseStdioFIFO recognizes the path of a stdio FIFO.
func ParseStdioFIFO(p string) (StdioFIFO, bool) {
	slash := strings.LastIndexByte(p, '/')
	dir, base := p[:max(slash, 0)], p[slash+1:]
	id, stream, _ := cutLast(base, '-')
	if stream != "stdin" && stream != "stdout" && stream != "stderr" || id == "" {
		return StdioFIFO{}, false
	}
	if !containsAny(dir, "/containerd/", "/libcontainerd/", "/libcontainerd.") {
		return StdioFIFO{}, false
	}
	f := StdioFIFO{Session: dir + "/" + id}
	for segment := range strings.SplitSeq(dir, "/") {
		if IsContainerID(segment) {
			f.ContainerID = segment
		}
	}
	if f.ContainerID != "" {
		f.Init = id == "init"
		f.Exec = !f.Init && id != f.ContainerID
	}
	return f, true
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
