package cmd

import (
	"context"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/probe"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func localReport(ctx context.Context, version string, req report.Request) (*report.NodeReport, error) {
	return probe.Collect(ctx, hostfs.FS{Proc: "/proc", Sys: "/sys", Root: "/"}, version, req)
}
