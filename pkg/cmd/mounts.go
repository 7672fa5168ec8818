package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const mountsLong = `What is mounted, what of it nobody needs any more, who holds it, what it costs.

Without a node every Linux node of the cluster is asked, a few at a time and each
by a pod of its own. A node that gives no answer costs its row: the others' stand.
So they do after Ctrl-C.

A volume is leaked where its PersistentVolume or pod is gone from the API, the node
has no attachment of it, its device is gone or broken, it stands below the root
of a container that is dead, or it is staged and no pod uses it.

--script writes the umounts as a shell script to review and to run on the node:
nodedoc itself never unmounts anything. --diff compares with what --save kept.

The exit code is 1 where a node gave no answer: it failed, is not ready, or was
named and is none that can be asked. Windows and virtual nodes are left out
where nobody names them.`

const mountsExample = `  # Which volumes are leaked on a node, and who holds them?
  kubectl nodedoc mounts node-43 --leaked

  # All nodes in one table; those of a pool; these two
  kubectl nodedoc mounts
  kubectl nodedoc mounts -l pool=ebs --max-parallel 20
  kubectl nodedoc mounts node-43 node-44

  # Unmount them, by a script that checks each mount again
  kubectl nodedoc mounts node-43 --script > umount.sh
  less umount.sh && scp umount.sh node-43: && ssh node-43 sudo sh umount.sh

  # What has become of them since?
  kubectl nodedoc mounts node-43 --save before.json
  kubectl nodedoc mounts node-43 --diff before.json`

type mountsOptions struct {
	env
	fleetFlags
	source *sourceFlags
	output *outputFlags
	leaked bool
	script bool
	diff   string
	top    int
	// Flags that were given.
	topGiven, formatGiven, diffGiven bool

	before map[string]nodeMounts // of --diff, by node
}

func newMounts(e env) *cobra.Command {
	o := &mountsOptions{env: e, source: newSourceFlags(), output: newOutputFlags(), top: 20}
	c := &cobra.Command{
		Use:               "mounts [NODE...]",
		Short:             "What is mounted, what of it is leaked, who holds it; on one node or all of them",
		Long:              mountsLong,
		Example:           mountsExample,
		ValidArgsFunction: e.completeNodes,
		RunE:              steps(o),
	}
	fs := c.Flags()
	fs.BoolVar(&o.leaked, "leaked", false, "Show leaked volumes only, one by one")
	o.addFleet(c)
	fs.BoolVar(&o.script, "script", false, "Write a shell script that unmounts what is leaked on a node; nodedoc does not run it")
	fs.StringVar(&o.diff, "diff", "", "Compare with the report in this file of --save: what is gone, new and left")
	fs.IntVar(&o.top, "top", o.top, "Rows to show, 0 for all; -o json and the like show all unless this is given")
	o.source.add(c)
	o.output.add(c)
	e.thresholds.add(c)
	return c
}

func (o *mountsOptions) complete(c *cobra.Command, args []string) error {
	o.topGiven, o.formatGiven, o.diffGiven = c.Flags().Changed("top"), c.Flags().Changed("output"), c.Flags().Changed("diff")
	return o.fleetFlags.complete(c, args)
}

func (o *mountsOptions) validate() error {
	if err := o.fleetFlags.validate(o.source); err != nil {
		return err
	}
	switch {
	case o.top < 0:
		return fmt.Errorf("--top must be 0 or more, not %d", o.top)
	case o.script && o.source.remote() && len(o.nodes) != 1:
		return errors.New("a script is for one node: name it, kubectl nodedoc mounts NODE --script")
	case o.script && o.formatGiven:
		return errors.New("--script writes a shell script: --output does not go with it")
	case o.diffGiven && o.diff == "":
		return errors.New("--diff needs the name of a file that --save wrote")
	case o.script && o.diff != "":
		return errors.New("--script and --diff exclude each other")
	case o.diff == "-" && o.source.from == "-":
		return errors.New("stdin holds one report: --from and --diff cannot both read it")
	}
	return errors.Join(o.source.validate(), o.output.validate())
}

func (o *mountsOptions) request() report.Request {
	return report.NewRequest(report.CollectMounts, report.CollectDevices, report.CollectKubelet, report.CollectContainers, report.CollectProcesses)
}

func (o *mountsOptions) run(ctx context.Context) error {
	if o.diff != "" { // before any pod is made
		if err := o.readBefore(); err != nil {
			return err
		}
	}
	s := &source{flags: o.source, env: o.env, progress: newProgress(o.streams.ErrOut), storage: newStorage()}
	all := fleet[nodeMounts]{fleetFlags: &o.fleetFlags, request: o.request(), reduce: o.reduce, print: o.print}
	return all.run(ctx, s)
}
