//go:build linux

package probe

import (
	"fmt"
	"path"
	"strings"
)

// A process of a tree, one line per thing, all but comm optional:
//
//	comm java
//	parent 1            the default
//	state S             the default
//	kernel              PF_KTHREAD: neither command line nor exe
//	threads 93
//	start 812345        ticks after boot
//	rss 1000            pages
//	memory 3 2 1 0      RssAnon, RssFile, RssShmem, VmSwap, in kB: Linux 4.5 and later
//	pss 5               kB: Linux 4.14 and later
//	oom 667 -999        oom_score, oom_score_adj
//	uid 1000            effective, the real one is 0
//	nspid 4711 17       Linux 4.1 and later
//	cgroup /a           v2
//	cgroup v1 /a memory:/b …   v1, /a wherever nothing else is said
//	args java -jar x    separated by a space; a space within is \x20
//	exe /usr/bin/java
//	cwd /
//	fd 10..4209 /run/x/{hex64}-stdout
//
// A backslash begins an escape as in Go.
func (tr tree) process(dir, description string) {
	tr.t.Helper()
	p := map[string]string{"parent": "1", "state": "S", "threads": "1", "start": "1000", "rss": "100", "uid": "0"}
	pid := path.Base(dir)
	for line := range strings.Lines(description) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if key == "args" {
			args := strings.Split(value, " ")
			tr.write(dir+"/cmdline", unquote(tr.t, strings.Join(args, `\x00`)+`\x00`))
			p[key] = value
			continue
		}
		value = unquote(tr.t, value)
		p[key] = value
		switch key {
		case "fd":
			names, target, _ := strings.Cut(value, " ")
			if strings.Contains(names, "..") {
				names = "{" + names + "}"
			}
			tr.links(dir+"/fd/"+names, target)
		case "exe", "cwd":
			tr.links(dir+"/"+key, value)
		case "cgroup":
			tr.write(dir+"/cgroup", cgroupFile(value))
		}
	}
	flags := 4194304
	if _, kernel := p["kernel"]; kernel {
		flags = 2129984
	}
	if p["args"] == "" {
		tr.write(dir+"/cmdline", "")
	}
	// proc_pid_stat(5): what is not read here is 0.
	tr.write(dir+"/stat", fmt.Sprintf("%s (%s) %s %s 0 0 0 -1 %d 0 0 0 0 0 0 0 0 20 0 %s 0 %s 0 %s%s\n",
		pid, p["comm"], p["state"], p["parent"], flags, p["threads"], p["start"], p["rss"], strings.Repeat(" 0", 28)))
	// The kernel escapes a newline in Name.
	status := fmt.Sprintf("Name:\t%s\nState:\t%s\nTgid:\t%s\nPid:\t%s\nPPid:\t%s\nUid:\t0\t%s\t0\t0\n",
		strings.ReplaceAll(p["comm"], "\n", `\n`), p["state"], pid, pid, p["parent"], p["uid"])
	if f := strings.Fields(p["memory"]); len(f) == 4 {
		status += fmt.Sprintf("VmRSS:\t1 kB\nRssAnon:\t%8s kB\nRssFile:\t%8s kB\nRssShmem:\t%8s kB\nVmSwap:\t%8s kB\n", f[0], f[1], f[2], f[3])
	}
	tr.write(dir+"/statm", "9999 "+p["rss"]+" 1 1 0 1 0\n")
	if p["pss"] != "" {
		tr.write(dir+"/smaps_rollup", "00400000-7ffd4c1fe000 ---p 00000000 00:00 0          [rollup]\nRss:          9 kB\nPss:      "+p["pss"]+" kB\n")
	}
	if score, adj, ok := strings.Cut(p["oom"], " "); ok {
		tr.write(dir+"/oom_score", score+"\n")
		tr.write(dir+"/oom_score_adj", adj+"\n")
	}
	if p["nspid"] != "" {
		status += "NSpid:\t" + strings.ReplaceAll(p["nspid"], " ", "\t") + "\n"
	}
	tr.write(dir+"/status", status)
	if p["state"] != "Z" {
		tr.mkdir(dir + "/fd")
	}
}

// v1Hierarchies are those of RHEL 7 (kernel 3.10), systemd's own last.
func v1Hierarchies() []string {
	return []string{"pids", "perf_event", "memory", "hugetlb", "freezer", "devices",
		"cpuset", "cpuacct,cpu", "blkio", "net_prio,net_cls", "name=systemd"}
}

func cgroupFile(value string) string {
	f := strings.Split(value, " ")
	if f[0] != "v1" {
		return "0::" + value + "\n"
	}
	var b strings.Builder
	all := v1Hierarchies()
	for i, controllers := range all {
		path := f[1]
		for _, special := range f[2:] {
			if name, other, _ := strings.Cut(special, ":"); name == controllers {
				path = other
			}
		}
		fmt.Fprintf(&b, "%d:%s:%s\n", len(all)-i, controllers, path)
	}
	return b.String()
}
