package cmd

import (
	"context"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
)

// printVitals prints what the API server and the kubelet tell of a node, with nothing run
// there.
func (s *source) printVitals(ctx context.Context, node string, output *outputFlags) error {
	at, err := s.reach()
	if err != nil {
		return err
	}
	s.progress.show("asking the API server and the kubelet about node " + node)
	v := inventory.AskVitals(ctx, at.clients.Kube, node)
	s.progress.clear()
	if v.State == nil && strings.Contains(v.StateError, "not found") { // with similar names
		if _, err := debugpod.GetNode(ctx, at.clients.Kube, node); err != nil {
			return err
		}
	}
	if output.human() {
		return unlessReaderLeft(printer.Vitals(s.env.streams.Out, v.Answer(), output.style(s.env.streams.Out)))
	}
	return unlessReaderLeft(output.print(s.env.streams.Out, "NodeVitals", v.Answer(), []correlate.Owner{}))
}
