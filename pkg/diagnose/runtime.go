package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// IDs of the rules about container runtimes.
const (
	RuntimeDaemon    = "runtime-daemon"
	RuntimeStuck     = "runtime-stuck-containers"
	RuntimeLeftovers = "runtime-leftovers"
)

func runtimeDaemonRule() Rule {
	return Rule{
		ID: RuntimeDaemon, find: runtimeDaemon,
		Title: "the container runtime does not answer",
		Page: Page{
			Means: "containerd, dockerd, cri-dockerd or cri-o accepts no connection, or accepts one and says nothing. While it hangs no pod starts or ends on the node, exec, attach and logs wait, and the kubelet's pod lifecycle event generator (PLEG) stands still: the node becomes NotReady. It is always critical.",
			Computed: []string{
				"Each daemon whose socket is there is greeted once, by HTTP/2's preface or docker's ping, and no request is made. No answer within the probe's patience of some seconds is a finding.",
			},
			Source: []string{"RFC 9113, 3.4: connection preface; the Docker Engine API: /_ping", "the daemons' sockets, such as /run/containerd/containerd.sock, and those of k3s, k0s and MicroK8s"},
			Do: []string{
				"See what it waits for (kubectl nodedoc tasks NODE) before you restart it; SIGUSR1 to the daemon alone has it write its stacks to its log.",
				"Then restart its unit: containers outlive containerd and cri-o. They do not outlive dockerd, unless live-restore is set.",
			},
			Fooled: []string{
				"The kernel goes on accepting connections for a stopped daemon: only an answer counts.",
				"A node under heavy load may answer too late: look again.",
				"A daemon that answers a greeting may still hang at its work, on a lock or a dead mount.",
			},
		},
	}
}

func runtimeStuckRule() Rule {
	return Rule{
		ID: RuntimeStuck, find: runtimeStuck,
		Title: "containers that the runtime cannot start, end or remove",
		Page: Page{
			Means: "The runtime's own files and the node's processes contradict each other: a container that has ended and nobody watches, that runs without its shim, that was created and never started, that docker cannot remove, or whose pod the API server does not know. Its pod hangs in ContainerCreating or Terminating.",
			Computed: []string{
				fmt.Sprintf("The state of each container by the low-level runtime (state.json of runc, status of crun; exec.fifo while it waits for its start) and by docker, against processes and shims. One that is younger than %s may be between two steps of its start, and is none.", Seconds.Text(correlate.JustMade)),
				"Shims are expected of containerd and docker only. A container that lives though the API server, asked before and after, does not know its pod is one, too.",
			},
			Source: []string{"/run/containerd/runc/k8s.io, /run/docker/runtime-runc/moby, /run/runc, /run/crun; /var/lib/docker/containers/ID/config.v2.json", "opencontainers/runtime-spec: state of a container"},
			Do: []string{
				"Mounts first: what is mounted in it keeps it from being removed (kubectl nodedoc mounts NODE --leaked).",
				"Then crictl rm -f or docker rm -f on the node: that removes the container, not its volumes.",
			},
			Fooled: []string{
				"A container that somebody runs by hand in the kubelet's namespace has no pod.",
				"Where files of the runtime could not be read a container's state may be old: the report names what it lacks.",
			},
		},
	}
}

func runtimeLeftoversRule() Rule {
	return Rule{
		ID: RuntimeLeftovers, find: runtimeLeftovers,
		Title: "what is left of pods and containers that are no more",
		Page: Page{
			Means: "Shims that watch nothing, directories and cgroups of pods that the API server does not know, containers of no pod, and containers that the API server has as running and the node does not have. The kubelet logs \"orphaned pod\" each time it looks; shims keep memory and descriptors.",
			Computed: []string{
				fmt.Sprintf("Shims (older than %[1]s) whose container no runtime has; directories in the kubelet's pods and cgroups below kubepods whose UID no pod of the API server and no container has; containers in containerd's namespace k8s.io (older than %[1]s) that no pod has; containers that run by the API server's word for more than %[1]s and of which the node has neither file nor process.", Seconds.Text(correlate.JustMade)),
				"Directories and cgroups are looked at twice, some seconds apart, since the kubelet may be about to remove them. Pods that have ended while the node was looked at are none. There is one finding for each kind.",
			},
			Source: []string{"/var/lib/kubelet/pods, cgroups below kubepods, the runtimes' state; pods of the API server", "kubelet: cleanupOrphanedPodDirs, cleanupOrphanedPodCgroups"},
			Do: []string{
				"A shim: kill it, it watches nothing.",
				"A pod's directory: unmount what is mounted in it first, never remove it with a volume in it. The kubelet removes it once its volumes' directories are empty.",
				"A container that the node does not have: the kubelet starts it anew once it sees that; if not, restart the kubelet.",
			},
			Fooled: []string{
				"Static pods of a kubelet that cannot reach the API server have no mirror there; they count as living while a container of theirs is there.",
				"Without the API server's pods (--local, or a refused list) only shims and containers can be told.",
				"Log directories are listed by the command, and are no finding: they go with the kubelet's next collection of garbage.",
			},
		},
	}
}

// runtimeDaemon: a daemon that accepts no connection, or does not answer a greeting,
// hangs: exec, attach, logs and new pods wait for it, and the kubelet's PLEG.
func runtimeDaemon(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	if n.Report.Runtime == nil {
		return nil
	}
	var findings []Finding
	for _, d := range n.Report.Runtime.Daemons {
		if d.AnswerMillis != nil {
			continue
		}
		findings = append(findings, Finding{Severity: Critical, Subject: &correlate.Owner{Type: correlate.OwnerUnit, Unit: daemonUnit(n, d)},
			Summary:  fmt.Sprintf("%s does not answer on its socket: no pod starts or ends on the node while it hangs", d.Name),
			Evidence: []string{fmt.Sprintf("%s: %s", d.Socket, d.Error)},
			Remedy:   daemonRemedy(n, d)})
	}
	return findings
}

// daemonRemedy: the signal goes to the daemon alone. By default systemctl sends it to
// all of the unit, and docker's proxies, which do not know it, would end. So would k3s,
// of which containerd is a part.
func daemonRemedy(n *correlate.Node, d report.RuntimeDaemon) []Step {
	unit := daemonUnit(n, d)
	steps := []Step{{Do: "see what it waits for", Run: fmt.Sprintf("kubectl nodedoc tasks %s", place(n))}}
	switch unit {
	case "containerd.service", "docker.service", "crio.service":
		steps = append(steps, Step{Do: "its own account of what it does goes to its log, on the node",
			Run: fmt.Sprintf("systemctl kill --kill-who=main -s USR1 %s; journalctl -u %s --since -1min", unit, unit)})
	}
	restart := "containers outlive it: restart it, on the node"
	if d.Name == "docker" {
		restart = "restart it, on the node; unless live-restore is set in /etc/docker/daemon.json, all its containers end with it"
	}
	return append(steps, Step{Do: restart, Run: "systemctl restart " + unit})
}

// daemonUnit is the unit that a daemon runs in: k3s, rke2 and k0s start one of their own
// beside the kubelet.
func daemonUnit(n *correlate.Node, d report.RuntimeDaemon) string {
	switch {
	case strings.HasPrefix(d.Socket, "/run/k3s/"), strings.HasPrefix(d.Socket, "/run/k0s/"):
		return kubeletUnit(n) + ".service"
	case strings.HasPrefix(d.Socket, "/var/snap/microk8s/"):
		return "snap.microk8s.daemon-containerd.service"
	case d.Name == "cri-o":
		return "crio.service"
	case d.Name == "cri-dockerd":
		return "cri-docker.service"
	}
	return d.Name + ".service"
}

// runtimeStuck: containers that the runtime cannot start, end or remove.
func runtimeStuck(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	if n.Report.Runtime == nil {
		return nil
	}
	var findings []Finding
	for _, c := range n.Runtime().Containers {
		if len(c.Trouble) == 0 || len(findings) == ownersNamedMax {
			continue
		}
		owner := c.Owner
		f := Finding{Severity: Warning, Subject: &owner, CausedBy: ids(earlier, RuntimeDaemon, PipesRuntimeBlocked, MountsLeaked),
			Summary:  fmt.Sprintf("container %s of %s: %s", correlate.ShortID(c.ID), Title(owner), english.OxfordWordSeries(c.Trouble, "and")),
			Evidence: []string{stateText(c)}}
		f.Remedy = stuckRemedy(n, c)
		findings = append(findings, f)
	}
	return findings
}

func stateText(c correlate.RuntimeContainer) string {
	text := "its state is " + c.State
	if c.PID > 0 {
		text += fmt.Sprintf(", its first process %d", c.PID)
	}
	if c.Shim > 0 {
		text += fmt.Sprintf(", its shim %d", c.Shim)
	}
	return text
}

func stuckRemedy(n *correlate.Node, c correlate.RuntimeContainer) []Step {
	steps := []Step{{Do: "mounts first: what is mounted in it keeps it from being removed", Run: fmt.Sprintf("kubectl nodedoc mounts %s --leaked", place(n))}}
	if c.PID > 0 {
		steps = append(steps, Step{Do: "see what its processes do", Run: whoisCommand(n, c.PID)})
	}
	if c.Runtime == "docker" {
		return append(steps, Step{Do: "then, on the node, what is removed is the container, not its volumes", Run: onPath("docker rm -f %s", correlate.ShortID(c.ID))})
	}
	return append(steps, Step{Do: "then, on the node, what is removed is the container, not its volumes", Run: onPath("crictl rm -f %s", correlate.ShortID(c.ID))})
}

// runtimeLeftovers: what is left of pods that the API server does not know. Log
// directories go with the kubelet's next collection of garbage and are no finding.
func runtimeLeftovers(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	if n.Report.Runtime == nil {
		return nil
	}
	all := n.Runtime().Leftovers
	var findings []Finding
	for _, kind := range []correlate.LeftoverKind{correlate.LeftShim, correlate.LeftPodDir, correlate.LeftPodCgroup, correlate.LeftContainer, correlate.LeftMissing} {
		some := slices.DeleteFunc(slices.Clone(all), func(l correlate.Leftover) bool { return l.Kind != kind })
		if len(some) > 0 {
			findings = append(findings, leftoverFinding(n, kind, some, earlier))
		}
	}
	return findings
}

func leftoverFinding(n *correlate.Node, kind correlate.LeftoverKind, some []correlate.Leftover, earlier []Finding) Finding {
	f := Finding{Severity: Warning, CausedBy: ids(earlier, RuntimeDaemon, MountsLeaked), Summary: fmt.Sprintf("%d × %s", len(some), kind)}
	for i, l := range some {
		if i == holdersNamedMax {
			f.Evidence = append(f.Evidence, fmt.Sprintf("and %d more", len(some)-i))
			break
		}
		f.Evidence = append(f.Evidence, leftoverText(l))
	}
	switch kind {
	case correlate.LeftShim:
		f.Remedy = []Step{{Do: "it watches nothing: end it, on the node", Run: fmt.Sprintf("kill %d", some[0].PID)}}
	case correlate.LeftPodDir:
		f.Remedy = []Step{{Do: "mounts first, on the node: never remove a directory with a volume mounted in it", Run: onPath("grep -F %s /proc/mounts", some[0].Path)},
			{Do: "what still is in it, volumes' files among it, on the node", Run: onPath("find %s -xdev -type f | head", some[0].Path)},
			{Do: "the kubelet removes it once nothing is mounted in it and its volumes' directories are empty; its log says what it waits for (orphaned pod)"}}
	case correlate.LeftPodCgroup:
		f.Remedy = []Step{{Do: "the kubelet kills what lives in it and removes it with its next look; if not, see its log"}}
	case correlate.LeftContainer:
		f.Remedy = []Step{{Do: "see what it is, on the node: somebody has made it by hand, the kubelet does not see it", Run: onPath("ctr -n k8s.io containers info %s", some[0].ContainerID)},
			{Do: "if nobody needs it, end it, on the node", Run: onPath("ctr -n k8s.io tasks rm -f %[1]s; ctr -n k8s.io containers rm %[1]s", some[0].ContainerID)}}
	case correlate.LeftMissing:
		f.Remedy = []Step{{Do: "the kubelet starts it anew once it sees that it is gone; if not, restart the kubelet, on the node", Run: "systemctl restart " + kubeletUnit(n)}}
	}
	return f
}

// onPath is a command with a path or an id in it; none where it has more in it than the
// kubelet writes.
func onPath(command, path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.-") != "" {
		return ""
	}
	return fmt.Sprintf(command, path)
}

func leftoverText(l correlate.Leftover) string {
	switch {
	case l.Kind == correlate.LeftContainer:
		return fmt.Sprintf("%s, its first process %d", l.ContainerID, l.PID)
	case l.PID > 0:
		return fmt.Sprintf("process %d watches %s, which no runtime has", l.PID, correlate.ShortID(l.ContainerID))
	case len(l.Mounts) > 0:
		return fmt.Sprintf("%s of %s: %s in it, %s first", l.Path, Title(l.Owner), english.Plural(len(l.Mounts), "mount", ""), l.Mounts[0])
	case l.Populated:
		return fmt.Sprintf("%s of %s: processes live in it", l.Path, Title(l.Owner))
	case l.Path != "":
		return fmt.Sprintf("%s of %s", l.Path, Title(l.Owner))
	}
	return fmt.Sprintf("%s of %s runs, by the API server's word", correlate.ShortID(l.ContainerID), Title(l.Owner))
}
