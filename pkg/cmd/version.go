package cmd

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/payload"
)

func newVersion(e env) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of the plugin and of the probes that it carries",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			var probes []string
			for _, arch := range []string{"amd64", "arm64"} {
				if _, err := payload.Probe(arch); err == nil {
					probes = append(probes, "linux/"+arch)
				}
			}
			if len(probes) == 0 {
				probes = []string{"none: built without `make build`"}
			}
			_, err := fmt.Fprintf(e.streams.Out, "kubectl-nodedoc %s %s/%s, probes: %s\n", e.version, runtime.GOOS, runtime.GOARCH, strings.Join(probes, ", "))
			return unlessReaderLeft(err)
		},
	}
}
