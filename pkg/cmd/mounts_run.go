package cmd

import (
	"fmt"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// nodeMounts is what is kept of a node's answer, and of its report where the whole
// fleet's is saved.
type nodeMounts struct {
	mounts   correlate.NodeMounts
	findings []diagnose.Finding
	// is says which machine it was, and in which state.
	is report.Node
	// namespace is the inode of the host's mount namespace, 0 if unknown.
	namespace uint64
	pid       int // of a process in it
	// table is there for a script.
	table []report.Mount
}

// reduce keeps of a report what is told of it.
func (o *mountsOptions) reduce(n *correlate.Node) (nodeMounts, error) {
	if n.Report.Mounts == nil {
		return nodeMounts{}, fmt.Errorf("the report has no mounts%s", missingMounts(n.Report))
	}
	m := nodeMounts{mounts: n.Mounts(), findings: o.findingsAbout(n, correlate.Filter{}, "mounts-"), is: n.Report.Node}
	if o.script {
		m.table = n.Report.Mounts.List
	}
	if o.output.human() && o.diff == "" { // a fleet has more volumes in use than anybody wants kept
		m.mounts.Volumes = nil
		for _, v := range n.Mounts().Volumes {
			if printer.IsLeaked(v) || v.State == correlate.VolumeUnknown {
				m.mounts.Volumes = append(m.mounts.Volumes, v)
			}
		}
	}
	for _, ns := range n.Report.Mounts.Namespaces {
		if ns.Host {
			m.namespace = ns.Inode
			if ns.Kubelet {
				m.pid = ns.PID
			}
		}
	}
	return m, nil
}

func missingMounts(r *report.NodeReport) string {
	if len(r.Probe.Failed) > 0 {
		return failures(r)
	}
	return ": make one with mounts --save"
}
