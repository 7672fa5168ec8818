//go:build linux

package probe

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

// A node is looked at closer where less than this is left, in percent.
const fewLeft = 5

// sick says by what little it takes to read why the node may be sick: a few small
// files and a greeting.
func (s *standby) sick(look *hostfs.Proc) []string {
	var why []string
	m := memInfo(look, unreadable{})
	if m.Available != nil && m.Total != nil && few(*m.Available, *m.Total) {
		why = append(why, fmt.Sprintf("%d MiB of %d MiB memory are available", *m.Available>>20, *m.Total>>20))
	}
	if b, err := look.Read("sys/fs/file-nr"); err == nil {
		if used, most, err := hostfs.ParseFileNr(b); err == nil && few(most-min(used, most), most) {
			why = append(why, fmt.Sprintf("%d of %d files are open", used, most))
		}
	}
	if used, most := taskRoom(look); few(most-min(used, most), most) {
		why = append(why, fmt.Sprintf("%d of %d tasks are there", used, most))
	}
	fs := s.fs
	var err error
	if fs.Root, err = s.findRoot(); err != nil {
		return why
	}
	root, err := hostfs.OpenRoot(fs, nil)
	if err != nil {
		return why
	}
	defer root.Close()
	for _, d := range runtimeSockets() {
		if activated(d.Name) != "" { // a greeting might start it
			continue
		}
		if _, err := root.Greet(d.Socket, false, daemonPatience); err != nil && !hostfs.Gone(err) {
			why = append(why, d.Socket+": "+err.Error())
		}
	}
	return why
}

// few: of a limit that is known.
func few(left, of uint64) bool { return of > 0 && left < of/(100/fewLeft) }

// taskRoom are the node's threads and the most that it may have, the smaller of
// kernel.pid_max and kernel.threads-max; 0 of 0: unknown.
func taskRoom(look *hostfs.Proc) (used, most uint64) {
	b, err := look.Read("loadavg")
	if err != nil {
		return 0, 0
	}
	total, err := parseTotal(string(b))
	if err != nil {
		return 0, 0
	}
	for _, name := range []string{"sys/kernel/pid_max", "sys/kernel/threads-max"} {
		b, err := look.Read(name)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err == nil && (most == 0 || n < most) {
			most = n
		}
	}
	return *total, most
}
