//go:build linux

package probe

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"
	"syscall"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// rights reads what a process may do; nil where its /proc has none of it.
func (t *table) rights(pid int, bad unreadable) *report.Rights {
	r := &report.Rights{}
	if b, err := t.proc.ReadPID(pid, "status"); err == nil { // else said already
		s := hostfs.ParseSecurity(b)
		r.Capabilities = report.CapabilitySets{Inheritable: report.Escape(s["CapInh"]), Permitted: report.Escape(s["CapPrm"]),
			Effective: report.Escape(s["CapEff"]), Bounding: report.Escape(s["CapBnd"]), Ambient: report.Escape(s["CapAmb"])}
		r.Seccomp, r.NoNewPrivs = intOf(s["Seccomp"]), intOf(s["NoNewPrivs"])
	}
	// A kernel without the feature has no such file, or EINVAL for it.
	read := func(name string) []byte {
		b, err := t.proc.ReadPID(pid, name)
		if err != nil {
			if !hostfs.Gone(err) && !errors.Is(err, syscall.EINVAL) {
				bad.add(name, err)
			}
			return nil
		}
		return b
	}
	r.Label = report.Escape(string(bytes.TrimRight(read("attr/current"), "\x00\n")))
	r.OOMScoreAdj, r.OOMScore = intOf(string(read("oom_score_adj"))), intOf(string(read("oom_score")))
	for _, l := range hostfs.ParseLimits(read("limits")) {
		r.Limits = append(r.Limits, report.Limit{Name: report.Escape(l.Name), Soft: l.Soft, Hard: l.Hard, Unit: report.Escape(l.Unit)})
	}
	r.UIDMap, r.GIDMap = idMaps(read("uid_map")), idMaps(read("gid_map"))
	r.Namespaces = namespaces(t.proc, pid, "ns/*", bad)
	r.LoginUID, r.SessionID = audited(read("loginuid")), audited(read("sessionid"))
	if r.LoginUID != nil {
		r.LoginName = t.userName(*r.LoginUID)
	}
	if r.Capabilities == (report.CapabilitySets{}) && len(r.Namespaces)+len(r.Limits) == 0 && r.OOMScoreAdj == nil && r.LoginUID == nil {
		return nil // none of it is there: a captured tree, or a process that is ending
	}
	return r
}

func idMaps(b []byte) []report.IDMap {
	parsed := hostfs.ParseIDMaps(b)
	maps := make([]report.IDMap, 0, len(parsed))
	for _, m := range parsed {
		maps = append(maps, report.IDMap(m))
	}
	return maps
}

func intOf(s string) *int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return nil
	}
	return &n
}

// audited is an id of the audit subsystem; unset is all ones.
func audited(b []byte) *int {
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	if err != nil || n == math.MaxUint32 {
		return nil
	}
	id := int(n)
	return &id
}

// namespaces reads the links of /proc/PID/ns; those that this kernel has.
func namespaces(proc *hostfs.Proc, pid int, what string, bad unreadable) []report.Namespace {
	var list []report.Namespace
	for _, t := range []string{"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"} {
		link, err := proc.Readlink(pid, "ns/"+t)
		if err != nil {
			if !hostfs.Gone(err) {
				bad.add(what, err)
			}
			continue
		}
		list = append(list, report.Namespace{Type: t, Inode: hostfs.NamespaceInode(link)})
	}
	return list
}
