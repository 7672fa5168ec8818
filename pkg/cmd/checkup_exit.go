package cmd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
)

// errFindings ends a command with exit code 2: there is a finding to fail on, and it
// was printed.
var errFindings = errors.New("there are findings")

// worst is what --fail-on asks of all nodes.
type worst struct {
	critical, warning bool
	unchecked         []string // nodes
}

func (w *worst) see(c printer.Checkup) {
	for _, f := range c.Findings {
		w.critical = w.critical || f.Severity == diagnose.Critical
		w.warning = w.warning || f.Severity == diagnose.Warning
	}
	if c.State == printer.NodeAnswered && len(c.Failed) > 0 {
		w.unchecked = append(w.unchecked, c.Node)
	}
}

// verdict is nil only where all was checked and nothing so bad was found.
func (w *worst) verdict(failOn diagnose.Severity) error {
	switch {
	case w.critical, w.warning && failOn == diagnose.Warning:
		return errFindings
	case len(w.unchecked) > 0:
		return fmt.Errorf("%s: not all was checked, see what is printed; --fail-on %s cannot say that nothing is wrong", strings.TrimSpace(names(w.unchecked)), failOn)
	}
	return nil
}
