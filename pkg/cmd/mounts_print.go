package cmd

import (
	"fmt"
	"io"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
)

// mountsDocument is the answer as an object, of one node or of many.
type mountsDocument struct {
	Nodes []printer.MountsNode `json:"nodes"`
}

// print prints the answers, in every format.
func (o *mountsOptions) print(visits []visit[nodeMounts]) error {
	switch {
	case o.script && len(visits) > 1:
		return fmt.Errorf("a script is for one node, and %q holds %d: save that node alone", o.source.from, len(visits))
	case o.script:
		return o.printScript(visits[0].value)
	}
	var nodes []printer.MountsNode
	for i := range visits {
		nodes = append(nodes, o.row(&visits[i]))
	}
	nodes = append(nodes, o.onlyBefore(nodes)...)
	if !o.output.human() {
		for i := range nodes {
			o.shorten(&nodes[i])
		}
		return o.output.print(o.streams.Out, "MountReport", mountsDocument{nodes}, o.owners(nodes))
	}
	text, page := printer.Mounts, printer.MountsPage
	switch {
	case o.diff != "":
		text, page = printer.MountsDiffs, printer.MountsDiffsPage
	case o.leaked:
		text, page = printer.LeakedVolumes, printer.LeakedPage
	}
	return o.output.show(o.streams.Out, o.version, human{o.top, o.topGiven,
		func(w io.Writer, s printer.Style) error { return text(w, nodes, s) },
		func(s printer.Style) (document.Document, error) { return page(nodes, s) }})
}

// row is one node in the answer.
func (o *mountsOptions) row(v *visit[nodeMounts]) printer.MountsNode {
	n := printer.MountsNode{Node: v.node, State: v.state, Reason: v.reason}
	if v.state == printer.NodeAnswered {
		n.NodeMounts, n.Findings = &v.value.mounts, v.value.findings
	}
	if o.diff != "" && n.NodeMounts != nil {
		if before, ok := o.before[v.node]; ok {
			n.Diff = compareMounts(before, v.value)
		} else {
			n.Reason = "not in the older report"
		}
	}
	return n
}

// shorten leaves out what was not asked for.
func (o *mountsOptions) shorten(n *printer.MountsNode) {
	if n.NodeMounts == nil {
		return
	}
	volumes := n.Volumes
	if o.leaked {
		volumes = slices.DeleteFunc(volumes, func(v correlate.Volume) bool { return !printer.IsLeaked(v) })
	}
	if o.topGiven && o.top > 0 {
		volumes = volumes[:min(o.top, len(volumes))]
	}
	n.Keep(volumes)
}

// owners are those that hold leaked volumes, or with all volumes those that have mounts.
func (o *mountsOptions) owners(nodes []printer.MountsNode) []correlate.Owner {
	var owners []correlate.Owner
	for _, n := range nodes {
		switch {
		case n.NodeMounts == nil:
		case o.leaked:
			for _, v := range n.Volumes {
				for _, h := range v.Holders {
					owners = append(owners, h.Owner)
				}
			}
		default:
			for _, c := range n.ByOwner {
				if c.Owner != nil {
					owners = append(owners, *c.Owner)
				}
			}
		}
	}
	return owners
}
