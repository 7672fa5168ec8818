package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
)

const explainLong = `What a finding means: all rules with a line each, or the page of one: what it means,
how it is computed, from what and with which thresholds, what to do, and what may
fool it. The beginning of a rule's ID is enough.

Thresholds are shown as they are in force, by --threshold and the configuration
file. Such a file is, for example:

  thresholds:
    fd-node-limit.warning: 70%
    memory-growth.soon: 12h
    memory-host-process.size: 512MiB`

const explainExample = `  # All rules
  kubectl nodedoc explain

  # What does this finding mean, and may it be wrong?
  kubectl nodedoc explain memory-host-process

  # What is in force with this file?
  kubectl nodedoc explain fd-node --config team.yaml`

type explainOptions struct {
	env
	rules         []diagnose.Rule
	one           bool // a rule was named
	format, color string
}

func explainFormats() []string { return []string{"text", "json", "yaml", "markdown"} }

func newExplain(e env) *cobra.Command {
	o := &explainOptions{env: e}
	c := &cobra.Command{
		Use:               "explain [RULE]",
		Short:             "What a finding means, how it is computed, what to do, and what may fool it",
		Long:              explainLong,
		Example:           explainExample,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeRule,
		RunE:              steps(o),
	}
	c.Flags().StringVarP(&o.format, "output", "o", "text", "Output format: "+strings.Join(explainFormats(), "|"))
	addColor(c, &o.color)
	must(c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(explainFormats(), cobra.ShellCompDirectiveNoFileComp)))
	e.thresholds.add(c)
	return c
}

func completeRule(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	for _, r := range diagnose.Rules() {
		if len(args) == 0 && strings.HasPrefix(r.ID, toComplete) {
			ids = append(ids, cobra.CompletionWithDesc(r.ID, r.Title))
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

func (o *explainOptions) complete(_ *cobra.Command, args []string) error {
	if o.one = len(args) > 0; !o.one {
		o.rules = diagnose.Rules()
		return nil
	}
	r, err := diagnose.FindRule(args[0])
	o.rules = []diagnose.Rule{r}
	return err
}

func (o *explainOptions) validate() error {
	if !slices.Contains(explainFormats(), o.format) {
		return fmt.Errorf("output format %q is not known: use one of %s", o.format, strings.Join(explainFormats(), ", "))
	}
	return validColor(o.color)
}

func (o *explainOptions) run(context.Context) error {
	out, limits := o.streams.Out, o.thresholds.inForce
	style := (&outputFlags{color: o.color}).style(out)
	switch {
	case o.format == "markdown":
		return unlessReaderLeft(printer.RulesMarkdown(out, o.rules, limits))
	case o.format != "text":
		return unlessReaderLeft(o.printObjects(out))
	case o.one:
		return unlessReaderLeft(printer.Rule(out, o.rules[0], limits, style))
	}
	return unlessReaderLeft(printer.RuleList(out, o.rules, style))
}

// ruleDocument is a page as an object.
type ruleDocument struct {
	ID         string              `json:"id"`
	Title      string              `json:"title"`
	Means      string              `json:"means"`
	Computed   []string            `json:"computed"`
	Thresholds []thresholdDocument `json:"thresholds"`
	Sources    []string            `json:"sources"`
	Do         []string            `json:"do"`
	FooledBy   []string            `json:"fooledBy"`
}

type thresholdDocument struct {
	diagnose.Threshold
	InForce float64 `json:"inForce"`
}

func (o *explainOptions) printObjects(out io.Writer) error {
	p, err := genericclioptions.NewJSONYamlPrintFlags().ToPrinter(o.format)
	if err != nil {
		return errors.New("output format " + o.format + " is not known")
	}
	documents := make([]ruleDocument, 0, len(o.rules))
	for _, r := range o.rules {
		page := r.InForce(o.thresholds.inForce)
		d := ruleDocument{ID: r.ID, Title: r.Title, Means: page.Means, Computed: page.Computed, Thresholds: []thresholdDocument{}, Sources: page.Source, Do: page.Do, FooledBy: page.Fooled}
		for _, of := range r.Thresholds {
			d.Thresholds = append(d.Thresholds, thresholdDocument{of, o.thresholds.inForce.In(of)})
		}
		documents = append(documents, d)
	}
	if o.one {
		return printObject(out, p, "Rule", documents[0])
	}
	return printObject(out, p, "RuleList", map[string]any{"rules": documents})
}
