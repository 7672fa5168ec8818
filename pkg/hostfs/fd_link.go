package hostfs

import (
	"bytes"
	"strings"
)

// FDLink is what the text of a /proc/PID/fd link tells, proc_pid_fd(5). The
// file behind it is never touched.
type FDLink struct {
	// Kind is a short name: file, "deleted file", device, socket, pipe, FIFO,
	// memfd, namespace, or the name of an anonymous inode such as eventfd.
	Kind string
	// Pattern is the text with ids folded to "…", so that what a leak piles up
	// reads as one line.
	Pattern string
	// FIFO is set where the path is that of a runtime's stdio FIFO.
	FIFO *StdioFIFO
}

// ParseFDLink classifies a link text.
func ParseFDLink(link string) FDLink {
	switch {
	case strings.HasPrefix(link, "/memfd:"):
		return FDLink{Kind: "memfd", Pattern: Fold(strings.TrimSuffix(link, deletedMark))}
	case strings.HasPrefix(link, "/"):
		return pathLink(link)
	case strings.HasPrefix(link, "anon_inode:"):
		// "anon_inode:[eventfd]", and "anon_inode:inotify" on all kernels.
		name := strings.Trim(strings.TrimPrefix(link, "anon_inode:"), "[]")
		return FDLink{Kind: anonKind(name), Pattern: link}
	}
	// "socket:[1234]", "pipe:[1234]", "net:[4026531840]", "pidfd:[12]"
	name, _, inode := strings.Cut(link, ":[")
	switch {
	case !inode, name == "":
		return FDLink{Kind: "other", Pattern: Fold(link)}
	case namespaceTypes[name]:
		return FDLink{Kind: "namespace", Pattern: name + ":[…]"}
	}
	return FDLink{Kind: name, Pattern: name + ":[…]"}
}

// WithoutInode cuts the number off a link such as "socket:[1234]": links that
// are the same without it are parsed alike. The number of a namespace goes, too.
func WithoutInode(link []byte) []byte {
	if len(link) > 0 && link[0] != '/' && !bytes.HasPrefix(link, []byte("anon_inode:")) {
		if i := bytes.Index(link, []byte(":[")); i > 0 {
			return link[:i+2]
		}
	}
	return link
}

const deletedMark = " (deleted)"

// namespaceTypes are the names in /proc/PID/ns, namespaces(7).
var namespaceTypes = map[string]bool{"mnt": true, "net": true, "pid": true, "uts": true,
	"ipc": true, "user": true, "cgroup": true, "time": true}

// anonKind gives the field's name for what the kernel calls otherwise.
func anonKind(name string) string {
	switch name {
	case "eventpoll":
		return "epoll"
	case "":
		return "anon_inode"
	}
	return name
}

func pathLink(link string) FDLink {
	if f, ok := ParseStdioFIFO(strings.TrimSuffix(link, deletedMark)); ok {
		return FDLink{Kind: "FIFO", Pattern: Fold(f.Session) + "-std*", FIFO: &f}
	}
	switch {
	case strings.HasSuffix(link, deletedMark):
		return FDLink{Kind: "deleted file", Pattern: Fold(link)}
	case strings.HasPrefix(link, "/dev/") && !strings.HasPrefix(link, "/dev/shm/") && !strings.HasPrefix(link, "/dev/hugepages/"):
		return FDLink{Kind: "device", Pattern: Fold(link)}
	}
	return FDLink{Kind: "file", Pattern: Fold(link)}
}

// StdioFIFO is a named pipe that carries the stdio of a container or of an exec
// session in it:
//
//	/run/docker/containerd/<container>/<exec id>-stdout             dockerd; "init-stdout" for the container's own
//	/run/docker/libcontainerd/<container>/<exec id>-stdout          dockerd before 17.12
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
	if !strings.Contains(dir, "/containerd/") && !strings.Contains(dir, "/libcontainerd/") {
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
