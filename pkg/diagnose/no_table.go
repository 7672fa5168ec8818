package diagnose

import (
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// noTableShareMin of a nearly full node's open files: mapped libraries alone may
// be a tenth of them.
const noTableShareMin = 25.0

// noTable: a good part of a nearly full node's open files is in no process's
// descriptor table, so that no ranking of descriptors can name it.
func noTable(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	r := n.RankFDs(correlate.ByPod)
	u := r.Files
	if u == nil || u.Percent < limitWarning || u.InNoTable == nil || u.InNoTable.Partial || u.InNoTable.Percent < noTableShareMin {
		return nil
	}
	f := Finding{Severity: Warning,
		Summary: fmt.Sprintf("at least %s of the node's open files are in no process's descriptor table", humanize.Comma(int64(u.InNoTable.AtLeast))),
		Evidence: []string{fmt.Sprintf("fs.file-nr is %s, all descriptors together are %s",
			humanize.Comma(int64(u.Used)), humanize.Comma(int64(r.Descriptors)))},
		Remedy: []Step{
			{Do: "see who maps most files, on the node", Run: `timeout 20 grep -c / /proc/[0-9]*/maps 2>/dev/null | sort -t: -k2 -n | tail`},
			{Do: "see what the kernel itself has open, on the node", Run: "losetup -a; cat /proc/swaps; ls /proc/fs/nfsd/clients"},
			{Do: "else files in flight over unix sockets, or registered with io_uring, by a program that never takes them"},
		}}
	if r.Unread > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("the descriptors of %s could not be read and explain a part", english.Plural(r.Unread, "process", "processes")))
	}
	return []Finding{f}
}
