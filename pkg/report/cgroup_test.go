package report

import (
	"path"
	"slices"
	"strings"
	"testing"
)

func TestUnitAndSessionOfCgroups(t *testing.T) {
	audit := &Rights{SessionID: new(7)}
	for name, c := range map[string]struct {
		entries []CgroupEntry
		rights  *Rights
		unit    string
		files   []string
	}{
		"v2":          {[]CgroupEntry{{"", "/system.slice/ssh.service"}}, nil, "ssh.service", nil},
		"nothing":     {nil, nil, "", nil},
		"audit alone": {[]CgroupEntry{{"", "/"}}, audit, "", []string{SessionDir + "7"}},
		"v1, accounted elsewhere than in systemd's": {[]CgroupEntry{{"name=systemd", "/user.slice/user-0.slice/session-3.scope"}, {"cpu,cpuacct", "/a.service"}, {"memory", "/system.slice/b.service"}},
			audit, "b.service", []string{SessionDir + "3", SessionDir + "7"}},
		"v1, accounted nowhere":          {[]CgroupEntry{{"freezer", "/x.scope"}, {"name=systemd", "/system.slice/b.service"}, {"pids", "/"}}, nil, "b.service", nil},
		"removed":                        {[]CgroupEntry{{"", "/system.slice/b.service (deleted)"}}, nil, "b.service", nil},
		"below a service":                {[]CgroupEntry{{"", "/system.slice/_cgroup.service/x.scope"}}, nil, "cgroup.service", nil},
		"a slice is none":                {[]CgroupEntry{{"", "/system.slice/system-getty.slice"}}, nil, "", nil},
		"user's manager":                 {[]CgroupEntry{{"", "/user.slice/user-1000.slice/user@1000.service/session.slice/session-migration.service"}}, nil, "user@1000.service", []string{UserDir + "1000"}},
		"no session's name, no way out":  {[]CgroupEntry{{"", "/session-../user@..\x5c.service/session-.scope"}}, nil, "user@..\x5c.service", nil},
		"the same session by both means": {[]CgroupEntry{{"", "/session-7.scope"}}, audit, "session-7.scope", []string{SessionDir + "7"}},
	} {
		g := Cgroup{Entries: c.entries}
		if got := g.Unit(); got != c.unit {
			t.Errorf("%s: unit %q, want %q", name, got, c.unit)
		}
		if got := SessionFiles(g, c.rights); !slices.Equal(got, c.files) {
			t.Errorf("%s: sessions %q, want %q", name, got, c.files)
		}
	}
}

func TestUserUnitOf(t *testing.T) {
	const manager = "/user.slice/user-1000.slice/user@1000.service"
	for path, want := range map[string]string{
		"/system.slice/ssh.service": "", manager: "", "": "", "/user@": "", manager + "/app.slice": "",
		manager + "/init.scope":                                     "user@1000.service init.scope",
		manager + "/app.slice/app-x.slice/sync@1.service":           "user@1000.service sync@1.service",
		manager + "/app.slice/_cgroup.service/inner (deleted)":      "user@1000.service cgroup.service",
		"/docker/x" + manager + "/user.slice/podman-1.scope/libpod": "user@1000.service podman-1.scope",
	} {
		m, unit := UserUnitOf(path)
		if unit == "" {
			m = ""
		}
		if got := strings.TrimSpace(m + " " + unit); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func FuzzCgroup(f *testing.F) {
	f.Add("memory", "/user.slice/user-1000.slice/session-3.scope")
	f.Add("", "/user@../../x (deleted)")
	f.Fuzz(func(t *testing.T, controllers, text string) {
		c := Cgroup{Entries: []CgroupEntry{{controllers, text}}}
		if unit := c.Unit(); strings.Contains(unit, "/") || !strings.Contains(text, unit) {
			t.Fatalf("unit %q", unit)
		}
		if manager, unit := UserUnitOf(text); strings.Contains(manager+unit, "/") || !strings.Contains(text, unit) {
			t.Fatalf("user's unit %q of %q", unit, manager)
		}
		for _, file := range SessionFiles(c, nil) {
			if path.Clean(file) != file || path.Dir(file)+"/" != SessionDir && path.Dir(file)+"/" != UserDir {
				t.Fatalf("session %q", file)
			}
		}
	})
}
