package cmd

import (
	"errors"
	"io"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
)

// tasksDocument is the answer as an object.
type tasksDocument struct {
	correlate.NodeTasks
	Findings []diagnose.Finding `json:"findings"`
}

// print prints the answer of one report.
func (o *tasksOptions) print(n *correlate.Node) error {
	switch {
	case n.Report.Tasks == nil && len(n.Report.Probe.Failed) == 0:
		return errors.New("the report was made without looking at tasks: make one with tasks --save")
	case n.Report.Tasks == nil:
		return errors.New("the report has no tasks" + failures(n.Report))
	case n.Report.Processes == nil:
		return noProcesses(n.Report)
	}
	if err := answersSelector(n, o.filter); err != nil {
		return err
	}
	tasks := n.Tasks(correlate.TaskOptions{By: correlate.By(o.by), Filter: o.filter})
	findings := o.findingsAbout(n, o.filter, "tasks-", diagnose.MountsDetached)
	if o.output.human() {
		return o.output.show(o.streams.Out, o.version, human{o.top, o.topGiven,
			func(w io.Writer, s printer.Style) error { return printer.Tasks(w, tasks, findings, s) },
			func(s printer.Style) (document.Document, error) { return printer.TasksPage(tasks, findings, s) }})
	}
	tasks.Rows = shownTo(&o.rankingFlags, tasks.Rows)
	var owners []correlate.Owner
	for _, row := range tasks.Rows {
		owners = append(owners, row.Owner)
	}
	return o.output.print(o.streams.Out, "NodeTasks", tasksDocument{tasks, findings}, owners)
}
