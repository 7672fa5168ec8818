package cmd

import (
	"errors"
	"io"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
)

// memoryDocument is the answer as an object.
type memoryDocument struct {
	correlate.NodeMemory
	Findings []diagnose.Finding `json:"findings"`
}

func (o *memoryOptions) answer(n *correlate.Node) (reply, error) {
	if err := o.canAnswer(n); err != nil {
		return reply{}, err
	}
	memory := n.Memory(correlate.MemoryOptions{By: correlate.By(o.by), Sort: correlate.Order(o.sort), Filter: o.filter})
	findings := o.findings(n)
	a := reply{kind: "NodeMemory"}
	a.text = func(w io.Writer, s printer.Style) error { return printer.Memory(w, memory, findings, s) }
	a.page = func(s printer.Style) (document.Document, error) { return printer.MemoryPage(memory, findings, s) }
	shown := memory
	shown.Rows = shownTo(&o.rankingFlags, shown.Rows)
	a.doc = memoryDocument{shown, findings}
	for _, row := range shown.Rows {
		a.owners = append(a.owners, row.Owner)
	}
	return a, nil
}

// canAnswer: the report has what the answer is made of.
func (o *memoryOptions) canAnswer(n *correlate.Node) error {
	switch {
	case n.Report.Memory == nil && len(n.Report.Probe.Failed) == 0:
		return errors.New("the report was made without looking at memory: make one with memory --save")
	case n.Report.Memory == nil:
		return errors.New("the report has no memory" + failures(n.Report))
	case n.Report.Processes == nil:
		return noProcesses(n.Report)
	}
	return o.answerable(n, "memory")
}

// findings are those about memory: about whoever is shown, and about the node.
func (o *memoryOptions) findings(n *correlate.Node) []diagnose.Finding {
	facts := n
	if o.window != nil { // a leak may be too slow for one sample
		facts = correlate.Join(o.window.Add(n.Report), n.Inventory)
	}
	return o.findingsAbout(facts, o.filter, "memory-")
}
