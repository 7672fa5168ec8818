package cmd

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/logs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// askOnly answers by what the API server and the kubelet through it say.
func (o *kubeletOptions) askOnly(ctx context.Context, s *source) error {
	defer s.progress.clear()
	at, err := s.reach()
	if err != nil {
		return err
	}
	s.progress.show("asking the kubelet of " + o.node)
	s.kubelets.Log = true
	inv := s.asker(at, o.node).Ask(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if k := inv.Kubelets; k.Own.Error != "" && k.Log == nil && len(k.Profile) == 0 {
		return errors.New("the kubelet says nothing: " + k.Own.Error)
	}
	r := &report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind, Node: report.Node{Hostname: o.node},
		Probe: report.Probe{Version: o.version, Failed: []report.Unreadable{{What: "the node itself", Cause: "not looked at (--no-pod)"}}}}
	err = s.save(r, inv)
	s.progress.clear()
	return errors.Join(err, unlessReaderLeft(o.print(correlate.Join(r, inv))))
}

// unpacked is a report, nil for nil, with what the node's journal has packed as text,
// without likely secrets: before anybody keeps it.
func (s *source) unpacked(r *report.NodeReport) *report.NodeReport {
	if r != nil {
		logs.Unpack(r.Logs, s.flags.showSecrets)
	}
	return r
}

// lacksKubeletLog: the kubelet is asked for its log where the report has no line of it.
func lacksKubeletLog(r *report.NodeReport) bool {
	return r.Logs == nil || !slices.ContainsFunc(r.Logs.Sources, func(s report.LogSource) bool {
		return s.Name == report.LogKubelet && len(s.Lines) > 0
	})
}

// kubeletDocument is the answer as an object.
type kubeletDocument struct {
	correlate.NodeKubelet
	Findings []diagnose.Finding `json:"findings"`
}

func (o *kubeletOptions) print(n *correlate.Node) error {
	asked := n.Inventory != nil && n.Inventory.Kubelets != nil
	switch {
	case n.Report.Logs == nil && n.Report.Kubelet == nil && !asked && len(n.Report.Probe.Failed) == 0:
		return errors.New("the report was made without looking at the kubelet: make one with kubelet --save")
	case n.Report.Logs == nil && n.Report.Kubelet == nil && !asked:
		return errors.New("the report has nothing of the kubelet" + failures(n.Report))
	}
	answer := n.Kubelet()
	findings := o.findingsAbout(n, correlate.Filter{}, "kubelet-")
	if o.output.human() {
		return o.output.show(o.streams.Out, o.version, human{o.top, o.topGiven,
			func(w io.Writer, s printer.Style) error { return printer.Kubelet(w, answer, findings, s) },
			func(s printer.Style) (document.Document, error) { return printer.KubeletPage(answer, findings, s) }})
	}
	owners := []correlate.Owner{}
	for _, d := range answer.Daemons {
		if d.Unit != "" {
			owners = append(owners, correlate.Owner{Type: correlate.OwnerUnit, Unit: d.Unit})
		}
	}
	if o.topGiven && o.top > 0 {
		answer.Logs = slices.Clone(answer.Logs)
		for i := range answer.Logs {
			answer.Logs[i].Groups = answer.Logs[i].Groups[:min(o.top, len(answer.Logs[i].Groups))]
		}
	}
	return o.output.print(o.streams.Out, "NodeKubelet", kubeletDocument{answer, findings}, owners)
}

// askForLog has the kubelet asked for its log, where the report has none.
func askForLog(q *inventory.KubeletQuestions, r *report.NodeReport) {
	if q != nil {
		q.Log = lacksKubeletLog(r)
	}
}
