package cmd

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// fdDocument is a ranking as an object.
type fdDocument struct {
	correlate.FDRanking
	Findings []diagnose.Finding `json:"findings"`
}

// fdProcessDocument is a process as an object.
type fdProcessDocument struct {
	correlate.ProcessFDs
	Findings []diagnose.Finding `json:"findings"`
}

func (o *fdOptions) answer(n *correlate.Node) (reply, error) {
	switch {
	case n.Report.Processes == nil:
		return reply{}, noProcesses(n.Report)
	case n.Report.Processes.FDMethod == "":
		return reply{}, errors.New("the report was made without counting descriptors, as whois-pid does: make one with fd --save")
	case o.fileTypes && n.Report.Processes.FileTypes == nil:
		return reply{}, errors.New("the report was made without asking for file types: make one with fd --file-types --save")
	}
	facts := n
	if o.window != nil { // a leak may be too slow for one sample
		facts = correlate.Join(o.window.Add(n.Report), n.Inventory)
	}
	if o.pidGiven {
		return o.processAnswer(n, o.findingsAbout(facts, correlate.Filter{}, "fd-", "inotify-"))
	}
	if err := o.answerable(n, "fd"); err != nil {
		return reply{}, err
	}
	findings := o.findingsAbout(facts, o.filter, "fd-", "inotify-")
	ranking := n.Rank(correlate.RankOptions{By: correlate.By(o.by), Sort: correlate.Order(o.sort), Filter: o.filter})
	a := reply{kind: "FileDescriptorRanking"}
	a.text = func(w io.Writer, s printer.Style) error { return printer.FD(w, ranking, findings, s) }
	a.page = func(s printer.Style) (document.Document, error) {
		return printer.FDPage(ranking, fileSamples(n.Report), findings, s)
	}
	shown := ranking
	shown.Rows = shownTo(&o.rankingFlags, shown.Rows)
	a.doc = fdDocument{shown, findings}
	for _, row := range shown.Rows {
		a.owners = append(a.owners, row.Owner)
	}
	return a, nil
}

func fileSamples(r *report.NodeReport) []report.FileSample {
	if r.OpenFiles == nil {
		return nil
	}
	return r.OpenFiles.Samples
}

// answersSelector refuses labels where the API server's word for them is missing.
func answersSelector(n *correlate.Node, f correlate.Filter) error {
	switch {
	case f.Selector == nil:
	case n.Inventory == nil:
		return errors.New("labels are the API server's, and the report was saved without it: --selector cannot be answered")
	case n.Inventory.PodsError != "":
		return fmt.Errorf("labels are the API server's, and it would not list the node's pods, so that --selector cannot be answered: %s", n.Inventory.PodsError)
	}
	return nil
}

func (o *fdOptions) processAnswer(n *correlate.Node, findings []diagnose.Finding) (reply, error) {
	p, ok := n.ProcessFDs(o.pid)
	if !ok {
		return reply{}, o.source.noProcess(n, o.pid)
	}
	findings = slices.DeleteFunc(findings, func(f diagnose.Finding) bool {
		return f.Subject != nil && *f.Subject != p.Process.Owner
	})
	a := reply{kind: "ProcessFileDescriptors", owners: []correlate.Owner{p.Process.Owner}}
	a.text = func(w io.Writer, s printer.Style) error { return printer.FDProcess(w, p, findings, s) }
	a.page = func(s printer.Style) (document.Document, error) { return printer.FDProcessPage(p, findings, s) }
	shown := p
	shown.Targets, shown.Sockets = shownTo(&o.rankingFlags, shown.Targets), shownTo(&o.rankingFlags, shown.Sockets)
	a.doc = fdProcessDocument{shown, findings}
	return a, nil
}
