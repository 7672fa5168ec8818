package hostfs

import (
	"strconv"
	"strings"
)

// oomCommMax is TASK_COMM_LEN without its NUL.
const oomCommMax = 15

// parseOOMInvoked: order -1 is SysRq's.
//
//	java invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=-998                           3.10
//	java invoked oom-killer: gfp_mask=0x14000c0(GFP_KERNEL), nodemask=(null),  order=0, oom_score_adj=999   4.x
//	java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=999
func parseOOMInvoked(text string) (comm string, sysRq, ok bool) {
	at := strings.LastIndex(text, " invoked oom-killer: gfp_mask=")
	if at < 0 {
		return "", false, false
	}
	return text[:at], strings.Contains(text[at:], " order=-1,"), true
}

// parseOOMCPU is of the stack's head, 0 where it is another's.
//
//	CPU: 9 PID: 14881 Comm: java Tainted: G    B          ------------ T 3.10.0-327.4.5.el7.x86_64 #1
//	CPU: 9 UID: 0 PID: 14881 Comm: java Not tainted 6.18.0 #1      since 6.11
func parseOOMCPU(text, comm string) int {
	_, rest, _ := strings.Cut(text, " PID: ")
	number, rest, _ := strings.Cut(rest, " Comm: ")
	pid, ok := parsePID([]byte(number))
	if !ok || !strings.HasPrefix(rest, comm+" ") {
		return 0
	}
	return pid
}

// parseOOMUsage: "memory: usage 51200kB, limit 51200kB, failcnt 36".
func parseOOMUsage(text string) (usage, limit *uint64) {
	for _, field := range strings.Split(text, ", ") {
		switch name, value, _ := strings.Cut(strings.TrimPrefix(field, "memory: "), " "); name {
		case "usage":
			usage = parseOOMKiB(value)
		case "limit":
			limit = parseOOMKiB(value)
		}
	}
	return usage, limit
}

// parseOOMKiB: "51200kB" in bytes; nil for what is not set, LONG_MAX in whole
// pages, and for a count that went below zero.
func parseOOMKiB(s string) *uint64 {
	n, err := strconv.ParseUint(strings.TrimSuffix(s, "kB"), 10, 64)
	if err != nil || n >= 1<<52 {
		return nil
	}
	n *= 1024
	return &n
}

type oomSummary struct {
	constraint, limitCgroup, cgroup string
	victim                          oomVictim
	uid                             *int
}

// parseOOMSummary: names may hold commas, but no cpuset's holds a slash, and a
// task's is short.
//
//	oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=NAME,mems_allowed=0-1,oom_memcg=/a,task_memcg=/a/b,task=sh,pid=7,uid=0
//	oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/a/b,task=sh,pid=7,uid=0
//	oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=sh,pid=7,uid=0      a kernel without cgroups
func parseOOMSummary(text string) (s oomSummary) {
	rest := strings.TrimPrefix(text, "oom-kill:constraint=")
	s.constraint, rest, _ = strings.Cut(rest, ",")
	if at := strings.LastIndex(rest, ",pid="); at >= 0 {
		number, uid, _ := strings.Cut(rest[at+len(",pid="):], ",uid=")
		s.victim.pid, _ = parsePID([]byte(number))
		s.uid = parseOOMInt(uid)
		if s.uid == nil {
			s.victim.pid = 0
		}
		rest = rest[:at]
		from := max(0, len(rest)-len(",task=")-oomCommMax)
		if at := strings.Index(rest[from:], ",task="); at >= 0 {
			s.victim.comm = rest[from+at+len(",task="):]
			rest = rest[:from+at]
		}
	}
	limit := strings.Index(rest, ",oom_memcg=/")
	global := strings.Index(rest, ",global_oom,task_memcg=/")
	switch {
	case limit >= 0 && (global < 0 || limit < global):
		s.limitCgroup, s.cgroup = cutOOMPaths(rest[limit+len(",oom_memcg="):], ",task_memcg=", false)
	case global >= 0:
		s.cgroup = rest[global+len(",global_oom,task_memcg="):]
	}
	return s
}

// cutOOMPaths splits two paths, of which one is the other's ancestor, so that a
// name like the words between them misleads nobody.
func cutOOMPaths(s, between string, innerFirst bool) (first, second string) {
	for at := 0; ; {
		i := strings.Index(s[at:], between+"/")
		if i < 0 {
			break
		}
		at += i
		a, b := s[:at], s[at+len(between):]
		if second == "" {
			first, second = a, b
		}
		if innerFirst && below(a, b) || !innerFirst && below(b, a) {
			return a, b
		}
		at++
	}
	if second == "" {
		return s, ""
	}
	return first, second
}

func below(path, ancestor string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(ancestor, "/"))
	return ok && (rest == "" || rest[0] == '/')
}

// cutOOMMessage: what stands before is whose limit it was.
func cutOOMMessage(text, verb string) (constraint, rest string, ok bool) {
	message, rest, ok := strings.Cut(text, verb)
	switch {
	case !ok:
	case strings.HasPrefix(message, "Memory cgroup out of memory: "):
		return oomMemcg, rest, true
	case strings.HasPrefix(message, "Out of memory: "), strings.HasPrefix(message, "Out of memory (oom_kill_allocating_task): "):
		return oomNone, rest, true
	case message == "":
		return "", rest, true
	}
	return "", "", false
}

// parseOOMAnnounced: "Memory cgroup out of memory: Kill process 24572 (java) score
// 0 or sacrifice child" of before 5.2 names a thread; who is killed comes next.
func parseOOMAnnounced(text string) (constraint string, ok bool) {
	constraint, rest, ok := cutOOMMessage(text, "Kill process ")
	return constraint, ok && constraint != "" && strings.Contains(rest, " score ")
}

// parseOOMReaped: "oom_reaper: reaped process 7 (sh), now anon-rss:0kB, …".
func parseOOMReaped(text string) (v oomVictim, ok bool) {
	rest, ok := strings.CutPrefix(text, "oom_reaper: reaped process ")
	at := strings.LastIndex(rest, "), now anon-rss:")
	if !ok || at < 0 {
		return v, false
	}
	number, comm, _ := strings.Cut(rest[:at], " (")
	v.pid, ok = parsePID([]byte(number))
	v.comm = comm
	return v, ok
}

func parseOOMInt(s string) *int {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < -1000 || n > 1<<32 {
		return nil
	}
	i := int(n)
	return &i
}
