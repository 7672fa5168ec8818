package printer

import (
	"fmt"
	"io"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// pageWidth is the widest that a page's text gets: longer lines are hard to read.
const pageWidth = 100

// RuleList prints a line for each rule, by family.
func RuleList(w io.Writer, rules []diagnose.Rule, s Style) error {
	width := 0
	for _, r := range rules {
		width = max(width, len(r.ID))
	}
	for i, family := range diagnose.Families(rules) {
		if i > 0 {
			family.Name = "\n" + family.Name
		}
		if _, err := fmt.Fprintln(w, s.bold()(family.Name)); err != nil {
			return err
		}
		for _, r := range family.Rules {
			if err := s.printWrapped(w, fmt.Sprintf("  %-*s  ", width, r.ID), r.Title); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(w, "\n"+s.dim()("kubectl nodedoc explain RULE prints a rule's page"))
	return err
}

// Rule prints a rule's page, with the thresholds in force.
func Rule(w io.Writer, r diagnose.Rule, limits diagnose.Thresholds, s Style) error {
	if s.Width > pageWidth {
		s.Width = pageWidth
	}
	if err := s.printWrapped(w, s.bold()(r.ID)+": ", r.Title); err != nil {
		return err
	}
	page := r.InForce(limits)
	for _, part := range page.Parts() {
		if _, err := fmt.Fprintln(w, "\n"+s.bold()(part.Title)); err != nil {
			return err
		}
		for _, text := range part.Texts {
			prefix := "  "
			if part.List {
				prefix = "  - "
			}
			if err := s.printWrapped(w, prefix, text); err != nil {
				return err
			}
		}
		if part.Title == diagnose.ComputedTitle {
			if err := ruleThresholds(w, r, limits, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func ruleThresholds(w io.Writer, r diagnose.Rule, limits diagnose.Thresholds, s Style) error {
	if len(r.Thresholds) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(w, "\n"+s.bold()("Thresholds (--threshold NAME=VALUE, or the file of --config)")); err != nil {
		return err
	}
	width, values := 0, 0
	for _, of := range r.Thresholds {
		width, values = max(width, len(of.Name)), max(values, len(of.Unit.Format(limits.In(of))))
	}
	for _, of := range r.Thresholds {
		bounds := of.Bounds()
		if limits.Changed(of) {
			bounds = "by default " + of.Unit.Format(of.Default) + "; " + bounds
		}
		if err := s.printWrapped(w, fmt.Sprintf("  %-*s  %*s  ", width, of.Name, values, of.Unit.Format(limits.In(of))), of.Means+" ("+bounds+")"); err != nil {
			return err
		}
	}
	return nil
}
