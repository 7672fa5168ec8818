//go:build linux

package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// mounts: reading the mounts of a node that does not get rid of its volumes. It
// comes last, since they stay until the stage's end.
func (b *bench) mounts() error {
	count, others := 26_500, 30
	if b.small {
		count, others = 300, 3
	}
	dir, err := os.MkdirTemp(b.dir, "mounts-")
	if err != nil {
		return err
	}
	h, err := b.start("mounts", "make", strconv.Itoa(count), "0", dir)
	if err != nil {
		return fmt.Errorf("failed to make %d mounts (fs.mount-max?): %w", count, err)
	}
	if err := h.leave(); err != nil {
		return err
	}
	host := report.NewRequest(report.CollectMounts)
	host.HostMounts = true
	if err := b.measure(fmt.Sprintf("one namespace with %d mounts", count), []command{
		{name: "C: read mountinfo, 4 KB at a time", args: []string{b.tool("mounts"), "one"}},
		{name: "nodedoc's reader, counting by filesystem", args: []string{b.tool("mountloop"), "nodedoc"}},
		{name: "nodedoc-probe: all of them in a report", args: b.probeOnce(host)},
		{name: "Go: moby/sys/mountinfo", args: []string{b.tool("mountloop"), "moby"}},
		{name: "Go: k8s.io/mount-utils", args: []string{b.tool("mountloop"), "mount-utils"}},
		{name: "findmnt", args: []string{"findmnt"}, once: true},
	}); err != nil {
		return err
	}
	if err := b.otherNamespaces("the host's namespace and %d copies of it", others, dir); err != nil {
		return err
	}
	return b.otherNamespaces("the host's and %d of containers that mount its / at /host", others, dir, "containers")
}

// otherNamespaces: reading the mounts that others have of the host's.
func (b *bench) otherNamespaces(title string, others int, dir string, kind ...string) error {
	h, err := b.start("mounts", append([]string{"make", "0", strconv.Itoa(others), dir}, kind...)...)
	if err != nil {
		return err
	}
	defer func() { _ = h.leave() }()
	return b.measure(fmt.Sprintf(title, others), []command{
		{name: "C: read each mountinfo", args: []string{b.tool("mounts"), "each"}},
		{name: "nodedoc's reader", args: []string{b.tool("mountloop"), "nodedoc-each"}},
		{name: "C: listmount, statmount of each mount", args: []string{b.tool("mounts"), "numbers"}},
		{name: "nodedoc's reader", args: []string{b.tool("mountloop"), "nodedoc-numbers"}},
		{name: "nodedoc-probe: the same, volumes and who uses them, report", args: b.probeOnce(report.NewRequest(report.CollectMounts))},
	})
}
