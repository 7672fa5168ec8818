package diagnose

import (
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func noTableWarning() Threshold { return warningAt(FDNoTable, "of fs.file-max in use") }

// Mapped libraries alone may be a tenth of the open files.
func noTableShare() Threshold {
	return percent(FDNoTable, "share", 25, "of the node's open files in no table: a finding")
}

func noTableRule() Rule {
	return Rule{
		ID: FDNoTable, find: noTable,
		Title:      "many open files are in no process's descriptor table",
		Thresholds: []Threshold{noTableWarning(), noTableShare()},
		Page: Page{
			Means: "The kernel counts more open files than all descriptors of all processes explain, so that no ranking of descriptors names who has them: files that are mapped and whose descriptor is closed, files in flight over unix sockets or registered with io_uring, and the kernel's own for loop devices, swap and nfsd.",
			Computed: []string{
				"The first number of /proc/sys/fs/file-nr less the number of all descriptors. It is a finding where {warning} of fs.file-max are in use, and this difference is {share} of them or more.",
			},
			Source: []string{"Documentation/admin-guide/sysctl/fs.rst: file-nr; unix(7): SCM_RIGHTS; io_uring_register(2)"},
			Do: []string{
				"See who maps most files: grep -c / /proc/[0-9]*/maps on the node.",
				"See what the kernel has open: losetup -a, /proc/swaps, /proc/fs/nfsd/clients.",
			},
			Fooled: []string{
				"It is a lower bound: forks and dup share open files, so that there are fewer behind the descriptors than counted.",
				"A thread that has taken a table of its own (CLONE_FILES not shared) is not looked into.",
				"It says nothing where not all of the kernel's processes are seen (a node that is a container itself): there it is no finding.",
			},
		},
	}
}

// noTable: a good part of a nearly full node's open files is in no process's
// descriptor table, so that no ranking of descriptors can name it.
func noTable(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	r := n.RankFDs(correlate.ByPod)
	u := r.Files
	if u == nil || u.Percent < limits.In(noTableWarning()) || u.InNoTable == nil || u.InNoTable.Partial || u.InNoTable.Percent < limits.In(noTableShare()) {
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
