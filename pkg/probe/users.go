//go:build linux

package probe

import (
	"sort"
	"strconv"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const maxPasswd = 1 << 20 // bytes

// addUsers reads whose the processes are: all where the request says so, else
// those with inotify instances, which are limited by user.
func (t *table) addUsers() {
	named := map[int]bool{}
	for i := range t.out.List {
		p := &t.out.List[i]
		if !t.req.Users && (p.FDs == nil || p.FDs.Inotify == nil) {
			continue
		}
		b, err := t.proc.ReadPID(p.PID, "status")
		if err != nil {
			t.failed("status", err, false)
			continue
		}
		uid := hostfs.ParseStatus(b).UID
		if uid < 0 {
			t.bad.add("/proc/PID/status", errTorn)
			continue
		}
		p.UID = &uid
		if named[uid] {
			continue
		}
		named[uid] = true
		if name := hostfs.UserName(t.hostPasswd(), uid); name != "" {
			t.out.Users = append(t.out.Users, report.User{UID: uid, Name: report.Escape(name)})
		}
	}
	sort.Slice(t.out.Users, func(a, b int) bool { return t.out.Users[a].UID < t.out.Users[b].UID })
	if t.req.Users && t.passwdErr != nil {
		t.bad.add("/etc/passwd", t.passwdErr)
	}
}

// userName is the host's name of a uid, the number where its passwd cannot be
// read. A container has names of its own.
func (t *table) userName(uid int) string {
	if uid < 0 {
		return ""
	}
	name := hostfs.UserName(t.hostPasswd(), uid)
	if name == "" && t.passwdErr != nil {
		return strconv.Itoa(uid)
	}
	return report.Escape(name)
}

// hostPasswd reads the host's passwd(5), once.
func (t *table) hostPasswd() []byte {
	if t.passwd == nil && t.passwdErr == nil {
		t.passwd, t.passwdErr = readPasswd(t.fs)
	}
	return t.passwd
}

func readPasswd(fs hostfs.FS) ([]byte, error) {
	root, err := hostfs.OpenRoot(fs, nil)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.ReadFile("/etc/passwd", maxPasswd)
}
