package cmd

import (
	"context"
	"errors"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
)

// withoutAnswer is what the API server and the kubelet tell of a node that gives no
// report. Where the reason lies with whoever asks, nothing is said of the node.
func (o *checkupOptions) withoutAnswer(ctx context.Context, s *source, v *visit[printer.Checkup]) (printer.Checkup, bool) {
	c := printer.Checkup{Findings: []diagnose.Finding{}}
	at, err := s.reach()
	if err != nil {
		return c, false
	}
	s.progress.show("asking what else can tell of node " + v.node)
	seen := debugpod.LookFromOutside(ctx, at.clients, v.node)
	why := strings.Join(nonEmpty(seen.NotReady, seen.Verdict), "; ")
	_, notStarted := errors.AsType[*debugpod.NotStartedError](v.err)
	switch {
	case seen.Unfit != "":
		return c, false
	case why != "":
	case notStarted:
		why = "no pod starts there"
	default:
		return c, false
	}
	_, left := errors.AsType[*debugpod.PodLeftError](v.err) // somebody has to act: never only in what may be cut off
	v.told = o.output.human() && !left
	c.Findings = append(c.Findings, diagnose.NotExamined(why, seen.Facts, o.nodedoc("script "+v.node)))
	return c, true
}

func nonEmpty(texts ...string) []string {
	var kept []string
	for _, t := range texts {
		if t != "" {
			kept = append(kept, t)
		}
	}
	return kept
}

// byStandby notes that no pod was started, for that reason.
func byStandby(c *printer.Checkup, why error) {
	c.Findings = append(c.Findings, diagnose.StartsNoPod(because(why), c.Findings))
}
