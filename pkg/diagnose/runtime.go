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
		if len(c.Trouble) == 0 || len(findings) == pipesPerFindingMax {
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
