package cmd

import (
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// ranked are the options of a command that ranks the owners of one node.
type ranked struct {
	env
	rankingFlags
	source *sourceFlags
	output *outputFlags
	node   string
}

func newRanked(e env, groupings []string, interval time.Duration) ranked {
	return ranked{env: e, source: newSourceFlags(), output: newOutputFlags(), rankingFlags: newRankingFlags(groupings, interval)}
}

// addTo gives a command these options; interval says what lies between two looks.
func (r *ranked) addTo(c *cobra.Command, interval string) {
	c.ValidArgsFunction = r.completeNode
	r.addRanking(c, interval)
	r.source.add(c)
	r.output.add(c)
	r.thresholds.add(c)
}

func (r *ranked) complete(c *cobra.Command, args []string) error {
	if err := r.rankingFlags.complete(c, r.kube.Namespace); err != nil {
		return err
	}
	var err error
	r.node, err = r.source.oneNode(c.Name(), args)
	return err
}

func (r *ranked) validate() error {
	return errors.Join(r.rankingFlags.validate(r.source), r.source.validate(), r.output.validate())
}

// validateWith validates what repeats the look, too.
func (r *ranked) validateWith(repeat *repeatFlags) error {
	return errors.Join(r.rankingFlags.validate(r.source), repeat.validate(r.interval, r.source, r.output), r.source.validate(), r.output.validate())
}

// watchingWith repeats the look.
func (r *ranked) watchingWith(repeat *repeatFlags, answer func(*correlate.Node) (reply, error)) *watching {
	return &watching{env: r.env, node: r.node, repeat: repeat, output: r.output, interval: r.interval, top: r.top, topGiven: r.topGiven, answer: answer}
}

// answerable refuses what a report cannot tell: an empty answer would lie. The
// command is the one that would have asked.
func (r *ranked) answerable(n *correlate.Node, command string) error {
	hasUser := func(p report.Process) bool { return p.UID != nil }
	if r.by == string(correlate.ByUser) && r.source.from != "" && !slices.ContainsFunc(n.Report.Processes.List, hasUser) {
		return errors.New("the report was made without asking for users: make one with " + command + " --by user --save")
	}
	return answersSelector(n, r.filter)
}

// shownTo are the rows that a program gets: all, unless --top is given.
func shownTo[T any](f *rankingFlags, rows []T) []T {
	if f.topGiven && f.top > 0 {
		return rows[:min(f.top, len(rows))]
	}
	return rows
}
