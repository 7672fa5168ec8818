package cmd

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// findFlags ask the other way round: which processes are it?
type findFlags struct {
	pod, container string
	port           int
	inode          uint64
	asked          bool
}

func (f *findFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.pod, "pod", "", "List the host pids of this pod, NAMESPACE/NAME or its UID")
	c.Flags().StringVar(&f.container, "container-id", "", "List the host pids of the container whose id begins so, with or without RUNTIME://")
	c.Flags().IntVar(&f.port, "port", 0, "List the processes at this TCP or UDP port, in every network namespace")
	c.Flags().Uint64Var(&f.inode, "inode", 0, "List the processes that hold the socket or pipe with this inode (socket:[INODE])")
	c.MarkFlagsMutuallyExclusive("pod", "container-id", "port", "inode")
}

// note notes whether any of them is given, also as nothing.
func (f *findFlags) note(c *cobra.Command) {
	for _, flag := range []string{"pod", "container-id", "port", "inode"} {
		f.asked = f.asked || c.Flags().Changed(flag)
	}
}

func (f *findFlags) validate(pids int) error {
	id := f.container
	if _, after, ok := strings.Cut(f.container, "://"); ok {
		id = after
	}
	switch {
	case pids > 0:
		return errors.New("either process ids or one of --pod, --container-id, --port, --inode")
	case f.pod == "" && f.container == "" && f.inode == 0 && f.port == 0:
		return errors.New("--pod, --container-id, --port and --inode need a value, and not 0")
	case strings.Count(f.pod, "/") > 1:
		return fmt.Errorf("--pod is NAMESPACE/NAME or a UID, not %q", f.pod)
	case f.port < 0 || f.port > 65535:
		return fmt.Errorf("--port is between 1 and 65535, not %d", f.port)
	case f.container != "" && len(id) < 4:
		return fmt.Errorf("--container-id needs 4 characters of the id at least, not %q", f.container)
	}
	return nil
}

// request asks for what the probe alone can find; pods and containers are
// joined here.
func (f *findFlags) request() report.Request {
	req := report.NewRequest(report.CollectProcesses, report.CollectContainers)
	if f.port != 0 || f.inode != 0 {
		req.Collect = append(req.Collect, report.CollectFound)
		req.Find = &report.Find{Port: f.port, Inode: f.inode}
	}
	return req
}

// processList is the answer as an object.
type processList struct {
	Node      string                 `json:"node"`
	Processes []correlate.ProcessRow `json:"processes"`
	Notes     []string               `json:"notes,omitempty"`
	Gaps      []report.Unreadable    `json:"gaps,omitempty"`
}

func (f *findFlags) rows(n *correlate.Node) ([]correlate.ProcessRow, error) {
	switch {
	case f.pod != "":
		return n.ProcessesOfPod(f.pod)
	case f.container != "":
		return n.ProcessesOfContainer(f.container)
	}
	rows, err := n.Holders(report.Find{Port: f.port, Inode: f.inode})
	if errors.Is(err, correlate.ErrNotAsked) {
		err = fmt.Errorf("%w; ask the node itself, and --save that", err)
	}
	return rows, err
}

func (o *whoisOptions) printFound(n *correlate.Node) error {
	if n.Report.Processes == nil {
		return noProcesses(n.Report)
	}
	rows, err := o.find.rows(n)
	if err != nil {
		return errors.Join(err, gapsError(n))
	}
	doc := processList{Node: n.Name(), Processes: rows, Gaps: n.Gaps()}
	if o.find.port != 0 {
		doc.Notes = n.HostPorts(o.find.port)
	}
	if o.output.human() {
		return o.output.show(o.streams.Out, o.version, human{0, false,
			func(w io.Writer, s printer.Style) error {
				return printer.Processes(w, doc.Processes, doc.Notes, doc.Gaps, o.wide(s))
			},
			func(s printer.Style) (document.Document, error) {
				return printer.ProcessesPage(doc.Node, doc.Processes, doc.Notes, doc.Gaps, o.wide(s))
			}})
	}
	var owners []correlate.Owner
	for _, r := range rows {
		owners = append(owners, r.Owner)
	}
	return o.output.print(o.streams.Out, "ProcessList", doc, owners)
}

// gapsError: what was not found may be in what could not be read.
func gapsError(n *correlate.Node) error {
	gaps := n.Gaps()
	lines := make([]string, 0, len(gaps))
	for _, g := range gaps {
		lines = append(lines, fmt.Sprintf("unreadable %s: %s", g.What, g.Cause))
	}
	if len(lines) == 0 {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}
