package logs

import "strings"

// Known is a kind of line that somebody has explained.
type Known struct {
	ID string `json:"id"`
	// Means is what it says, Do what to do or look at next.
	Means string `json:"means"`
	Do    string `json:"do"`
	// Run shows more; NODE stands for the node. "": there is no command.
	Run string `json:"run,omitempty"`
	// Trouble: so many a minute, and no fewer than five, are a finding of their own; 0:
	// never. These are lines of the kubelet or the runtime that a healthy node does not
	// repeat.
	Trouble float64 `json:"-"`
	// all must stand in the line, in small letters, or any of the others.
	all, any []string
}

// IDs of those that rules know.
const (
	DeviceMountRefs  = "device-mount-refs"
	PLEGUnhealthy    = "pleg-unhealthy"
	OrphanedPod      = "orphaned-pod"
	TooManyOpenFiles = "too-many-open-files"
	NoThreads        = "no-threads"
	SandboxFailed    = "sandbox-failed"
	RuntimeDown      = "runtime-down"
	Deadline         = "deadline"
	VolumeFailed     = "volume-failed"
)

// KnownLines are all of them; of several that fit, the first counts.
func KnownLines() []Known {
	const mounts, tasks, fds, runtime, memory, pipes = "kubectl nodedoc mounts NODE --leaked", "kubectl nodedoc tasks NODE", "kubectl nodedoc fd NODE", "kubectl nodedoc runtime NODE", "kubectl nodedoc memory NODE", "kubectl nodedoc pipes NODE"
	return []Known{
		{ID: DeviceMountRefs, all: []string{"getdevicemountrefs"}, Trouble: 0.5,
			Means: "a volume's device is still mounted somewhere else: the kubelet cannot unmount it, and tries for ever",
			Do:    "see who holds the mounts", Run: mounts},
		{ID: PLEGUnhealthy, all: []string{"pleg is not healthy"}, Trouble: 0.2,
			Means: "the runtime does not list its containers in time; after 3 minutes the node is NotReady",
			Do:    "see which container hangs", Run: runtime},
		{ID: OrphanedPod, all: []string{"orphaned pod", "found, but"}, Trouble: 1,
			Means: "a pod is gone, and its directory still has volumes that the kubelet cannot remove",
			Do:    "see what is left of it", Run: runtime},
		{ID: "ext4-error", any: []string{"ext4-fs error", "ext4-fs warning", "jbd2: error", "aborting journal", "remounting filesystem read-only", "buffer i/o error", "blk_update_request"},
			Means: "the kernel cannot read or write a disk: it is failing, or was detached while it was mounted",
			Do:    "see which volume that is", Run: mounts},
		{ID: "xfs-error", any: []string{"xfs_do_force_shutdown", "metadata i/o error", "log i/o error"},
			Means: "XFS has lost its disk, and shut the filesystem down", Do: "see which volume that is", Run: mounts},
		{ID: "oom-kill", any: []string{"out of memory: kill", "memory cgroup out of memory", "oom-kill:", "invoked oom-killer", "system oom encountered"},
			Means: "the kernel has killed a process for memory", Do: "see which, and whose limit it was", Run: memory},
		{ID: "hung-task", all: []string{"blocked for more than"},
			Means: "a thread has waited in the kernel for two minutes", Do: "see on what", Run: tasks},
		{ID: "soft-lockup", any: []string{"soft lockup", "rcu_sched detected stalls", "rcu_sched self-detected", "rcu_preempt self-detected"},
			Means: "a CPU has not been given back by the kernel, or by the hypervisor, for long", Do: "look at the machine and its hypervisor"},
		{ID: "table-full", any: []string{"nf_conntrack: table full", "neighbour: arp_cache: neighbor table overflow", "neighbour table overflow"},
			Means: "a table of the kernel's network is full: it drops packets", Do: "raise net.netfilter.nf_conntrack_max, or net.ipv4.neigh.default.gc_thresh3"},
		{ID: "eviction", any: []string{"eviction manager: attempting to reclaim", "eviction manager: must evict", "eviction manager: pods evicted", "eviction manager: pod "},
			Means: "the kubelet evicts pods to get back what the node lacks", Do: "see what the node has run out of", Run: memory},
		{ID: TooManyOpenFiles, any: []string{"too many open files", "no space left on device: inotify", "inotify_init", "inotify_add_watch"}, Trouble: 1,
			Means: "a limit of open files or of inotify is reached", Do: "see whose", Run: fds},
		{ID: NoThreads, any: []string{"resource temporarily unavailable", "pthread_create failed", "fork/exec: cannot allocate", "newosproc"}, Trouble: 1,
			Means: "no thread or process could be made: a limit of pids, or memory", Do: "see which limit", Run: tasks},
		{ID: "disk-full", any: []string{"no space left on device", "disk quota exceeded"}, Trouble: 1,
			Means: "a filesystem is full, or out of inodes", Do: "see which, on the node: df -h; df -i (they hang where a filesystem does)"},
		{ID: "image-gc", any: []string{"image garbage collection failed", "failed to garbage collect required amount of images", "imagegcfailed", "freediskspacefailed"}, Trouble: 0.1,
			Means: "the disk is over its threshold, and removing images does not free enough", Do: "see what fills the runtime's directory and /var/log, on the node"},
		{ID: SandboxFailed, any: []string{"failed to create pod sandbox", "createpodsandbox", "failed to setup network for sandbox", "failed to set up sandbox", "failed to create sandbox"}, Trouble: 2,
			Means: "pods do not start: the runtime or the CNI plugin fails to make their sandbox", Do: "read the end of the line: it says which", Run: runtime},
		{ID: "certificate", any: []string{"certificate has expired", "x509: certificate", "certificate signed by unknown authority", "part of the existing bootstrap client certificate", "rotate certificates"}, Trouble: 1,
			Means: "a certificate has expired, or is not trusted", Do: "see the dates, on the node: openssl x509 -enddate -noout -in /var/lib/kubelet/pki/kubelet-client-current.pem"},
		{ID: "unauthorized", any: []string{"unauthorized", "the server has asked for the client to provide credentials"}, Trouble: 2,
			Means: "the API server refuses the kubelet", Do: "look at its certificate and its name"},
		{ID: "api-unreachable", any: []string{"error updating node status", "failed to update lease", "failed to ensure lease exists", "failed to update node lease", "unable to update node status"}, Trouble: 1,
			Means: "the kubelet does not reach the API server; after 40 s the node is NotReady", Do: "look at the network between them"},
		{ID: RuntimeDown, any: []string{"container runtime is down", "runtime is not running", "container runtime network not ready", "containerd.sock: connect", "docker.sock: connect", "crio.sock: connect", "failed to get system container stats"}, Trouble: 1,
			Means: "the kubelet does not get an answer of the runtime, or of its network", Do: "see whether it answers", Run: runtime},
		{ID: Deadline, any: []string{"context deadline exceeded", "deadlineexceeded", "operation timeout"}, Trouble: 5,
			Means: "somebody did not answer in time, mostly the runtime or a volume's driver", Do: "see what hangs", Run: tasks},
		{ID: VolumeFailed, any: []string{"unable to attach or mount volumes", "mountvolume.setup failed", "mountvolume.mountdevice failed", "unmountvolume.teardown failed", "unmountdevice failed"}, Trouble: 2,
			Means: "a volume cannot be mounted or unmounted", Do: "see what is mounted where", Run: "kubectl nodedoc mounts NODE"},
		{ID: "cgroup-missing", any: []string{"failed to get cgroup stats", "cgroup not found", "cgroups: cgroup deleted", "cgroup does not exist", "failed to update stats for container"},
			Means: "a cgroup has gone while it was looked at: harmless once, else a pod whose processes will not end", Do: "see what is left", Run: runtime},
		{ID: "housekeeping-slow", all: []string{"housekeeping took longer than expected"},
			Means: "the kubelet is late with its own work: it lacks CPU, the disk is slow, or there is far too much to look at", Do: "see where its CPU goes", Run: "kubectl nodedoc kubelet NODE --profile 10s"},
		{ID: "cadvisor-partial", all: []string{"partial failures"},
			Means: "cadvisor could not read a container that has just ended: harmless"},
		{ID: "probe-failed", all: []string{"probe failed"},
			Means: "a container does not pass its probe: that is the pod's matter", Do: "kubectl describe its pod"},
		{ID: "crash-loop", all: []string{"crashloopbackoff"},
			Means: "a container ends again and again: that is the pod's matter", Do: "kubectl logs --previous of its pod"},
		{ID: "image-pull", any: []string{"imagepullbackoff", "errimagepull", "failed to pull image"},
			Means: "an image cannot be pulled", Do: "kubectl describe its pod"},
		{ID: "start-limit", any: []string{"start request repeated too quickly", "main process exited", "failed with result"}, Trouble: 0.2,
			Means: "the service ends, and systemd starts it again", Do: "read its last lines before that"},
		{ID: "full-pipe", any: []string{"pipe-user-pages"},
			Means: "pipes have become small", Do: "see whose they are", Run: pipes},
	}
}

// knownOf explains a line.
func knownOf(known []Known, line string) *Known {
	line = strings.ToLower(line)
	for i := range known {
		if known[i].fits(line) {
			return &known[i]
		}
	}
	return nil
}

func (k *Known) fits(line string) bool {
	for _, word := range k.all {
		if !strings.Contains(line, word) {
			return false
		}
	}
	for _, word := range k.any {
		if strings.Contains(line, word) {
			return true
		}
	}
	return len(k.any) == 0
}
