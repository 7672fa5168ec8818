package hostfs

import (
	"bytes"
	"strings"
)

// FDLink is what the text of a /proc/PID/fd link tells, proc_pid_fd(5). The
// file behind it is never touched.
type FDLink struct {
	// Kind is a short name: file, directory, "deleted file", device, socket, pipe, FIFO,
	// memfd, dmabuf, namespace, or that of an anonymous inode: eventfd, epoll,
	// inotify, timerfd, pidfd, BPF, perf and so on. Where the type is known, see
	// WithType: "block device", "character device", "socket file", "symbolic link".
	Kind string
	// Pattern is the text with ids folded to "…", so that what a leak piles up
	// reads as one line.
	Pattern string
	// FIFO is set where the path is that of a runtime's stdio FIFO.
	FIFO *StdioFIFO
}

// KindSocket is that of a socket of which nothing more is known.
const KindSocket = "socket"

// SocketPattern is the pattern of KindSocket.
const SocketPattern = "socket:[…]"

// SocketInode is the number in "socket:[40231]". The kernel numbers sockets by
// 32 bits (get_next_ino of fs/inode.c, udiag_ino of sock_diag), 0 is none.
func SocketInode(link []byte) (inode uint32, ok bool) { return linkInode(link, "socket:[") }

// PipeInode is the number in "pipe:[40231]", of 32 bits as well.
func PipeInode(link []byte) (inode uint32, ok bool) { return linkInode(link, "pipe:[") }

func linkInode(link []byte, prefix string) (inode uint32, ok bool) {
	digits, ok := bytes.CutPrefix(link, []byte(prefix))
	if !ok {
		return 0, false
	}
	digits, ok = bytes.CutSuffix(digits, []byte("]"))
	if !ok {
		return 0, false
	}
	inode, ok = decimal32(digits)
	return inode, ok && inode != 0
}

// IsInotify tells an inotify instance, "anon_inode:inotify" on all kernels.
func IsInotify(link []byte) bool { return string(link) == "anon_inode:inotify" }

// decimal32 reads an unsigned number without an allocation.
func decimal32(digits []byte) (uint32, bool) {
	var n uint64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n = n*10 + uint64(c-'0'); n > 1<<32-1 {
			return 0, false
		}
	}
	return uint32(n), len(digits) > 0
}

// ParseFDLink classifies a link text.
func ParseFDLink(link string) FDLink {
	if strings.HasPrefix(link, "/") {
		if path, format, told := strings.Cut(link, "\x00"); told {
			return typedLink(path, format)
		}
		return pathLink(link)
	}
	if name, ok := strings.CutPrefix(link, "anon_inode:"); ok {
		return anonLink(name)
	}
	// "socket:[1234]", "pipe:[1234]", "net:[4026531840]", and since Linux 6.9
	// "pidfd:[12]", a filesystem of its own.
	name, _, inode := strings.Cut(link, ":[")
	switch {
	case !inode, name == "":
		return FDLink{Kind: "other", Pattern: Fold(link)}
	case namespaceType(name):
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

// namespaceType tells the names in /proc/PID/ns, namespaces(7).
func namespaceType(name string) bool {
	switch name {
	case "mnt", "net", "pid", "uts", "ipc", "user", "cgroup", "time":
		return true
	}
	return false
}

// anonLink: most names stand in brackets, "[eventpoll]", some do not, "inotify"
// and "bpf-map", and a few carry a number, "kvm-vcpu:3".
func anonLink(name string) FDLink {
	bare := strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	word, number, numbered := strings.Cut(bare, ":")
	pattern := "anon_inode:" + name
	if _, isNumber := decimal32([]byte(number)); numbered && isNumber {
		pattern = "anon_inode:" + word + ":…"
	}
	return FDLink{Kind: anonKind(word), Pattern: pattern}
}

// anonKind gives the field's name for what the kernel calls otherwise: BPF's
// are bpf-map, bpf-prog, bpf_link, bpf_iter, btf and more, KVM's kvm-vm,
// kvm-vcpu, kvm-vfio and the like.
func anonKind(name string) string {
	switch {
	case name == "eventpoll":
		return "epoll"
	case name == "perf_event":
		return "perf"
	case name == "btf", strings.HasPrefix(name, "bpf-"), strings.HasPrefix(name, "bpf_"):
		return "BPF"
	case strings.HasPrefix(name, "kvm-"):
		return "KVM"
	case strings.HasPrefix(name, "vfio-"):
		return "VFIO"
	case name == "landlock-ruleset":
		return "Landlock"
	case name == "":
		return "anon_inode"
	}
	return name
}

// pathLink: a path is what the file was opened by, and often in another mount
// namespace: it proves nothing, but reads well. Directories and most FIFOs
// cannot be told from files by it; who knows better uses WithType.
func pathLink(link string) FDLink {
	path := strings.TrimSuffix(link, deletedMark)
	if strings.HasPrefix(path, "/memfd:") {
		return FDLink{Kind: "memfd", Pattern: Fold(path)}
	}
	if f, ok := ParseStdioFIFO(path); ok {
		return FDLink{Kind: "FIFO", Pattern: Fold(f.Session) + "-std*", FIFO: &f}
	}
	if path == "/secretmem" && path != link { // memfd_secret(2)
		return FDLink{Kind: "secretmem", Pattern: path}
	}
	kind := pathKind(path, path != link)
	if strings.HasPrefix(kind, "deleted") {
		link = path // the kind says it
	}
	return FDLink{Kind: kind, Pattern: foldSilly(Fold(link))}
}

// foldSilly: an NFS client renames a file that is deleted while it is open
// (nfs_sillyrename() of fs/nfs/unlink.c) to ".nfs" with 24 hexadecimal digits.
func foldSilly(p string) string {
	const digits = 24
	at := strings.LastIndexByte(p, '/') + 1
	hex, ok := strings.CutPrefix(p[at:], ".nfs")
	if !ok || len(hex) != digits {
		return p
	}
	for _, c := range []byte(hex) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return p
		}
	}
	return p[:at] + ".nfs" + ellipsis
}

func pathKind(path string, deleted bool) string {
	switch {
	case strings.HasPrefix(path, "/dmabuf:"):
		return "dmabuf"
	case strings.HasPrefix(path, "/dev/pts/"):
		return "device" // its name goes when the terminal closes
	case deleted:
		return "deleted file"
	case namespaceFile(path):
		return "namespace"
	case sessionFIFO(path):
		return "FIFO"
	case strings.HasPrefix(path, "/dev/") && !devFile(path):
		return "device"
	}
	return "file"
}

// devFile: these directories of /dev hold files.
func devFile(path string) bool {
	return strings.HasPrefix(path, "/dev/shm/") || strings.HasPrefix(path, "/dev/hugepages/") || strings.HasPrefix(path, "/dev/mqueue/")
}

// namespaceFile: where runtimes bind-mount namespaces, a descriptor of one
// reads as the path of the mount.
//
//	/run/netns/<name>        ip netns, containerd, cri-o
//	/run/docker/netns/<id>   dockerd
//	/run/utsns/<id>          cri-o; so ipcns, userns, pidns
func namespaceFile(path string) bool {
	path = strings.TrimPrefix(path, "/var")
	for _, dir := range []string{"/run/netns/", "/run/docker/netns/", "/run/utsns/", "/run/ipcns/", "/run/userns/", "/run/pidns/"} {
		if strings.HasPrefix(path, dir) {
			return true
		}
	}
	return false
}

// sessionFIFO: systemd-logind holds a FIFO per session and inhibitor,
// /run/systemd/sessions/c1.ref.
func sessionFIFO(path string) bool {
	return strings.HasSuffix(path, ".ref") &&
		(strings.HasPrefix(path, "/run/systemd/sessions/") || strings.HasPrefix(path, "/run/systemd/inhibit/"))
}
