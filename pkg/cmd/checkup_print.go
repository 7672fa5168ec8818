package cmd

import (
	"io"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
)

// checkupDocument is the answer as an object, of one node or of many.
type checkupDocument struct {
	Nodes []printer.Checkup `json:"nodes"`
}

func (o *checkupOptions) print(visits []visit[printer.Checkup]) error {
	nodes := make([]printer.Checkup, 0, len(visits))
	for _, v := range visits {
		c := v.value
		c.Node, c.State, c.Reason = v.node, v.state, v.reason
		c.Judge()
		o.worst.see(c)
		nodes = append(nodes, c)
	}
	nodes = printer.WorstFirst(nodes)
	if o.output.human() {
		return o.output.show(o.streams.Out, o.version, human{o.top, o.topGiven,
			func(w io.Writer, s printer.Style) error { return printer.Checkups(w, nodes, s) },
			func(s printer.Style) (document.Document, error) { return printer.CheckupsPage(nodes, s) }})
	}
	var owners []correlate.Owner // whom findings blame
	for _, c := range nodes {
		for _, f := range c.Findings {
			if f.Subject != nil {
				owners = append(owners, *f.Subject)
			}
		}
	}
	return o.output.print(o.streams.Out, "Checkup", checkupDocument{nodes}, owners)
}
