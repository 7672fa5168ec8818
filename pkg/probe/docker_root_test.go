//go:build linux

package probe

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Docker's data may lie anywhere: its configuration says where.
func TestDockerDataRootOfDaemonJSON(t *testing.T) {
	id := strings.Repeat("ab", 32)
	fs := plant(t, smallNode+`-- root/etc/docker/daemon.json --
{"data-root": "/data/docker"}
-- root/data/docker/containers/`+id+`/config.v2.json --
{"ID":"`+id+`","Name":"/registry","Config":{"Image":"registry:2"}}
`)
	r := collect(t, fs, report.NewRequest(report.CollectContainers))
	if r.Containers == nil || len(r.Containers.List) != 1 || r.Containers.List[0].Name != "registry" {
		t.Errorf("got %+v", r.Containers)
	}
}
