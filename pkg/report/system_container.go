package report

import "strings"

// SystemContainer is the container with a whole system in it that a cgroup's path
// leads into, of LXC, LXD or systemd-nspawn: its name, and where in the path its own
// begins. What stands behind that has that system's names: a cron.service in there
// is not the host's. "" where there is none, or only in what somebody has made in a
// container with an id, or in a pod.
//
//	/lxc.payload.web/system.slice/cron.service    LXC since 4.0, LXD
//	/lxc.payload/web/system.slice/…               3.1
//	/lxc/101/ns/…                                 before, and Proxmox
//	/machine.slice/systemd-nspawn@web.service/payload/…   of cgroup v2
//	/machine.slice/machine-web.scope/payload/…
func SystemContainer(path string) (name string, end int) {
	last := ""
	for at := 0; at < len(path); {
		e := path[at:]
		if slash := strings.IndexByte(e, '/'); slash >= 0 {
			e = e[:slash]
		}
		switch {
		case strings.HasPrefix(e, "lxc.payload.") && len(e) > len("lxc.payload."):
			return e[len("lxc.payload."):], at + len(e)
		case e != "" && !endsInID(e) && (last == "lxc.payload" || last == "lxc" && at == len("/lxc/")):
			return e, at + len(e)
		case e == "payload" && machineName(last) != "":
			return machineName(last), at + len(e)
		case isPods(e), endsInID(strings.TrimSuffix(e, ".scope")):
			return "", 0
		}
		if e != "" {
			last = e
		}
		at += len(e) + 1
	}
	return "", 0
}

// machineName is of systemd-nspawn's own unit, or machined's.
func machineName(unit string) string {
	for _, form := range [...][2]string{{"systemd-nspawn@", ".service"}, {"machine-", ".scope"}} {
		if rest, ok := strings.CutPrefix(unit, form[0]); ok {
			if name, ok := strings.CutSuffix(rest, form[1]); ok {
				return Clean(UnescapeBytes(name))
			}
		}
	}
	return ""
}

func isPods(e string) bool {
	return e == "kubepods" || e == "kubepods.slice" || strings.HasSuffix(e, "-kubepods.slice") || strings.Contains(e, ".slice:")
}

// endsInID: containers' ids are 64 hexadecimal digits.
func endsInID(e string) bool {
	if len(e) < 64 {
		return false
	}
	for _, c := range []byte(e[len(e)-64:]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
