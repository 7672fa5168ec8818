package diagnose

import (
	"fmt"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// Nobody types that many.
func execSessionsMin() Threshold {
	return atLeast(ExecFIFOs, "sessions", 100, "exec sessions of one container: a finding")
}

func execFIFOsRule() Rule {
	return Rule{
		ID: ExecFIFOs, find: execFIFOs,
		Title:      "many exec sessions of a container are open at once",
		Thresholds: []Threshold{execSessionsMin()},
		Page: Page{
			Means: "A runtime makes named pipes for stdin, stdout and stderr of each exec session, and removes them when it ends. Thousands of them are sessions that never end or that nobody reaps: exec probes, hooks and heartbeats that wait for something that is down. Each costs the runtime, its shim and the container descriptors.",
			Computed: []string{
				"Descriptors of named pipes ID-stdin, ID-stdout and ID-stderr below a directory containerd or libcontainerd, by process and by the container in the path; streams of one name are one session, the container's own stdio is none. {sessions} or more sessions that one process holds are a finding.",
				"The path names the container where the host or that very container holds the pipe; else the holder is to blame, since any container may make such a path in a root directory of its own.",
			},
			Source: []string{"/run/docker/containerd/CONTAINER/EXEC-stdout (dockerd), /run/containerd/io.containerd.grpc.v1.cri/containers/CONTAINER/io/N (containerd's CRI plugin), /run/containerd/fifo/N (its other clients)", "/proc/PID/fd: the names of links"},
			Do: []string{
				"Find who execs into it: exec probes and hooks need a timeout (timeoutSeconds, and one inside of the command).",
				"Deleting the pod frees them now.",
			},
			Fooled: []string{
				"A build farm or a terminal service may have so many sessions on purpose.",
				"cri-o makes no such pipes: its sessions are not seen.",
				"What descriptors are is looked up for the heaviest cgroups only.",
			},
		},
	}
}

// execFIFOs: a runtime makes named pipes for the stdio of each exec session and
// removes them when it ends. Thousands of them mean sessions that never end or
// are never reaped.
func execFIFOs(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	var findings []Finding
	for _, e := range n.ExecFIFOs() {
		if e.Sessions < limits.count(execSessionsMin()) {
			continue
		}
		subject, of := e.Subject, ""
		if holder := n.Blame(e.Holder).Owner; holder != subject {
			of = " of " + Title(holder)
		}
		evidence := fmt.Sprintf("process %d (%s)%s holds %s of their named pipes: %s",
			e.Holder.PID, e.Holder.Comm, of, humanize.Comma(int64(e.Count)), e.Pattern)
		// The container, its shim and the runtime may each hold an end.
		same := slices.IndexFunc(findings, func(f Finding) bool { return *f.Subject == subject })
		switch {
		case same >= 0 && len(findings[same].Evidence) < holdersNamedMax:
			findings[same].Evidence = append(findings[same].Evidence, evidence)
		case same < 0 && len(findings) < ownersNamedMax:
			findings = append(findings, Finding{Severity: Warning, Subject: &subject,
				Summary:  fmt.Sprintf("%s exec sessions of %s are open at once", humanize.Comma(int64(e.Sessions)), Title(subject)),
				Evidence: []string{evidence}, Remedy: execRemedy(subject)})
		}
	}
	return findings
}

func execRemedy(o correlate.Owner) []Step {
	cause := Step{Do: "find who execs into it: probes, hooks and heartbeats that wait for something that is down need a timeout"}
	if !namable(o) {
		return []Step{cause}
	}
	cause.Run = fmt.Sprintf("kubectl -n %s get pod %s -o yaml | grep -B3 -A5 -w exec:", o.Namespace, o.Pod)
	return append([]Step{cause}, deletePod(o, "to free them now")...)
}
