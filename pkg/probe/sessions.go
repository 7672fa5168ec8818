//go:build linux

package probe

import (
	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// sessionKeys are what is told of a login, in this order.
func sessionKeys() []string {
	return []string{"NAME", "UID", "USER", "STATE", "TYPE", "CLASS", "SERVICE", "TTY", "DISPLAY", "REMOTE", "REMOTE_HOST", "REMOTE_USER", "LEADER", "REALTIME"}
}

// sessions reads logind's records of whoever is logged in: a session's scope or
// a user's manager in the cgroup's path, or the audit session that pam_loginuid
// left in the process.
func (b *background) sessions() {
	seen := map[string]bool{}
	for _, p := range b.of {
		for _, file := range report.SessionFiles(b.cgroup(p), p.Detail.Rights) {
			if seen[file] {
				continue
			}
			seen[file] = true
			content, err := b.root.ReadFile(file, 64<<10)
			if err != nil {
				if !hostfs.Gone(err) {
					b.bad.add(file, err)
				}
				continue
			}
			b.out.Sessions = append(b.out.Sessions, sessionRecord(file, content))
		}
	}
}

func sessionRecord(file string, content []byte) report.Session {
	s := report.Session{File: file}
	values := hostfs.KeyValues(content)
	for _, key := range sessionKeys() {
		if v, ok := values[key]; ok {
			s.Values = append(s.Values, report.Setting{Key: key, Value: report.Escape(v[:min(len(v), maxSettingValue)])})
		}
	}
	return s
}
