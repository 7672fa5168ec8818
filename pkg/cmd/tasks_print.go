package cmd

import (
	"errors"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
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
		style := o.output.style(o.streams.Out)
		style.Top = o.top
		return printer.Tasks(o.streams.Out, tasks, findings, style)
	}
	if o.topGiven && o.top > 0 {
		tasks.Rows = tasks.Rows[:min(o.top, len(tasks.Rows))]
	}
	var owners []correlate.Owner
	for _, row := range tasks.Rows {
		owners = append(owners, row.Owner)
	}
	return o.output.print(o.streams.Out, "NodeTasks", tasksDocument{tasks, findings}, owners)
}
