package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const whoisExample = `  # Whose process is this?
  kubectl nodedoc whois-pid node-43 3663411

  # Several, as JSON
  kubectl nodedoc whois-pid node-43 3663411 2711841 -o json

  # With capabilities, limits, namespaces and listening ports
  kubectl nodedoc whois-pid node-43 3663411 -o wide

  # The other way round: the host pids of a pod, a container, a port, a socket
  kubectl nodedoc whois-pid node-43 --pod prod/hub-0
  kubectl nodedoc whois-pid node-43 --container-id 82414f376d1f
  kubectl nodedoc whois-pid node-43 --port 10250
  kubectl nodedoc whois-pid node-43 --inode 40231`

// maxAskedPIDs bounds the details that one report carries.
const maxAskedPIDs = 1000

type whoisOptions struct {
	env
	source *sourceFlags
	output *outputFlags
	node   string
	pids   []int
	// verbose is -o wide by another name.
	verbose bool
	find    findFlags
}

func newWhoisPID(e env) *cobra.Command {
	o := &whoisOptions{env: e, source: newSourceFlags(), output: newOutputFlags()}
	c := &cobra.Command{
		Use:               "whois-pid NODE {PID... | --pod NAMESPACE/NAME | --container-id ID | --port PORT | --inode INODE}",
		Aliases:           []string{"whois"},
		Short:             "Whose process is it: process tree, container, pod, workload, or the host's unit",
		Example:           whoisExample,
		ValidArgsFunction: e.completeNode,
		RunE:              steps(o),
	}
	o.source.add(c)
	o.output.add(c)
	o.find.add(c)
	c.Flags().BoolVar(&o.verbose, "verbose", false, "Also show limits, capabilities, namespaces, listening ports and all siblings, as -o wide does")
	return c
}

func (o *whoisOptions) complete(c *cobra.Command, args []string) error {
	o.find.note(c)
	var err error
	if o.node, err = o.source.node(&args); err != nil {
		return err
	}
	for i, a := range args {
		if !isPID(a) && i == 0 && !o.source.remote() {
			return fmt.Errorf("%q is no process id: with --local or --from there is no node to name", a)
		}
		if !isPID(a) {
			return fmt.Errorf("%q is no process id", a)
		}
		pid, err := strconv.Atoi(a)
		if err != nil {
			return err
		}
		if !slices.Contains(o.pids, pid) {
			o.pids = append(o.pids, pid)
		}
	}
	return nil
}

// isPID: whether there is such a process is the node's to say.
func isPID(s string) bool {
	pid, err := strconv.ParseInt(s, 10, 32)
	return err == nil && pid > 0
}

func (o *whoisOptions) validate() error {
	switch {
	case o.find.asked:
		return errors.Join(o.find.validate(len(o.pids)), o.source.validate(), o.output.validate())
	case len(o.pids) == 0 && isPID(o.node):
		return fmt.Errorf("on which node? kubectl nodedoc whois-pid NODE %s, or --local", o.node)
	case len(o.pids) == 0:
		return errors.New("which process? give one or more process ids, as the node itself numbers them, or --pod, --container-id, --port or --inode")
	case len(o.pids) > maxAskedPIDs:
		return fmt.Errorf("%d process ids are too many for one go, the limit is %d", len(o.pids), maxAskedPIDs)
	}
	return errors.Join(o.source.validate(), o.output.validate())
}

// whoisDocument is the answer as an object.
type whoisDocument struct {
	Node      string               `json:"node"`
	Processes []correlate.Identity `json:"processes"`
	Missing   []int                `json:"missing,omitempty"`
	// Gaps are what the answer lacks, and why.
	Gaps []report.Unreadable `json:"gaps,omitempty"`
}

func (o *whoisOptions) run(ctx context.Context) error {
	s := source{flags: o.source, env: o.env, progress: newProgress(o.streams.ErrOut)}
	if o.find.asked {
		return s.answer(ctx, o.node, o.find.request(), o.printFound)
	}
	req := report.NewRequest(report.CollectProcesses, report.CollectContainers, report.CollectBackground)
	req.PIDs = o.pids
	return s.answer(ctx, o.node, req, o.print)
}

func (o *whoisOptions) print(n *correlate.Node) error {
	if n.Report.Processes == nil {
		return noProcesses(n.Report)
	}
	doc := whoisDocument{Node: n.Name(), Processes: []correlate.Identity{}, Gaps: n.Gaps()}
	var owners []correlate.Owner
	for _, pid := range o.pids {
		id, ok := n.Whois(pid)
		if !ok {
			doc.Missing = append(doc.Missing, pid)
			continue
		}
		doc.Processes = append(doc.Processes, id)
		owners = append(owners, id.Owner)
	}
	if err := o.printAnswer(doc, owners); err != nil {
		return err
	}
	for _, pid := range doc.Missing {
		printError(o.streams.ErrOut, o.source.noProcess(n, pid))
	}
	if len(doc.Missing) > 0 {
		return errReported
	}
	return nil
}

func (o *whoisOptions) printAnswer(doc whoisDocument, owners []correlate.Owner) error {
	if o.output.human() {
		return o.output.show(o.streams.Out, o.version, human{0, false,
			func(w io.Writer, s printer.Style) error {
				return printer.Whois(w, doc.Node, doc.Processes, doc.Gaps, o.wide(s))
			},
			func(s printer.Style) (document.Document, error) {
				return printer.WhoisPage(doc.Node, doc.Processes, doc.Gaps, o.wide(s))
			}})
	}
	return o.output.print(o.streams.Out, "ProcessIdentities", doc, owners)
}

func (o *whoisOptions) wide(s printer.Style) printer.Style {
	s.Wide = s.Wide || o.verbose
	return s
}
