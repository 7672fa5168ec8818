//go:build !linux

package cmd

import (
	"context"
	"errors"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func localReport(context.Context, string, report.Request) (*report.NodeReport, error) {
	return nil, errors.New("--local examines a Linux machine, and this is none: name a node, or use --from")
}
