package cmd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
)

const (
	reasonsSaid = 10 // different ones
	namesSaid   = 5  // of one reason
)

// oneLine is an error's text for a row of a table.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// fleetError says which nodes gave no answer, and what went wrong beside the
// answers of others: each reason once, with the nodes that it holds for.
func fleetError[T any](visits []visit[T]) error {
	var reasons, told []string
	nodes := map[string][]string{}
	for _, v := range visits {
		why := v.reason
		switch {
		case v.told:
			told = append(told, v.node)
			continue
		case v.state == printer.NodeFailed:
		case v.err != nil:
			why = oneLine(v.err)
		default:
			continue
		}
		general := strings.ReplaceAll(why, fmt.Sprintf("node %q", v.node), "the node")
		if nodes[general] == nil {
			reasons = append(reasons, general)
		}
		nodes[general] = append(nodes[general], v.node)
	}
	var errs []error
	if len(told) > 0 {
		errs = append(errs, fmt.Errorf("no answer from %s: what is printed says why", names(told)))
	}
	for _, why := range reasons[:min(len(reasons), reasonsSaid)] {
		errs = append(errs, fmt.Errorf("%s: %s", names(nodes[why]), why))
	}
	if more := len(reasons) - reasonsSaid; more > 0 {
		errs = append(errs, fmt.Errorf("and %d more reasons: each node's stands in its row", more))
	}
	return errors.Join(errs...)
}

// names lists some of the names.
func names(all []string) string {
	if more := len(all) - namesSaid; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:namesSaid], ", "), more)
	}
	return strings.Join(all, ", ")
}

// missing are the nodes that an interruption has left without an answer.
func missing[T any](visits []visit[T]) []string {
	var nodes []string
	for _, v := range visits {
		if v.state == printer.NodeMissing {
			nodes = append(nodes, v.node)
		}
	}
	return nodes
}
