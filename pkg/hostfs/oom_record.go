package hostfs

import "strings"

// read takes a line of a record; false: it is none.
func (r *oomRecord) read(text string, o *OOMLog) bool {
	switch {
	case strings.HasPrefix(text, "oom-kill:constraint="):
		r.summary(text)
	case strings.HasPrefix(text, "Task in /"):
		r.taskIn(text)
	case strings.HasPrefix(text, "Tasks in /"):
		r.tasksIn(text, o)
	case strings.HasPrefix(text, "memory: usage "):
		if r.Usage == nil {
			r.Usage, r.Limit = parseOOMUsage(text)
		}
	case strings.HasPrefix(text, "CPU: "):
		if r.InvokerPID == 0 && r.Invoker != "" {
			r.InvokerPID = parseOOMCPU(text, r.Invoker)
		}
	case strings.HasPrefix(text, "["):
		return r.table.read(text, o.PageBytes, o.MaxTasks)
	case containsAny(text, "sysrq: ", "SysRq : ") && strings.HasSuffix(text, "Manual OOM execution"):
		o.sysRq = true
	default:
		message, ok := parseOOMAnnounced(text)
		if ok {
			r.message, r.announced = message, true
		}
		return ok
	}
	return true
}

// summary is the line that has it all, since 5.0 and in RHEL 8.
func (r *oomRecord) summary(text string) {
	s := parseOOMSummary(text)
	if len(r.killed) > 0 {
		*r = oomRecord{}
	}
	r.Constraint, r.LimitCgroup, r.Cgroup = s.constraint, s.limitCgroup, s.cgroup
	r.victim, r.uid = s.victim, s.uid
}

// taskIn is of before 5.0.
func (r *oomRecord) taskIn(text string) {
	cgroup, limit := cutOOMPaths(text[len("Task in "):], oomTaskIn, true)
	if len(r.killed) > 0 {
		*r = oomRecord{}
	}
	r.mixed = r.mixed || r.Cgroup != "" && (r.Cgroup != cgroup || r.LimitCgroup != limit)
	r.Constraint, r.Cgroup, r.LimitCgroup = oomMemcg, cgroup, limit
}

const (
	oomTaskIn  = " killed as a result of limit of "
	oomTasksIn = " are going to be killed due to memory.oom.group set"
)

// tasksIn comes after the first one's kill.
func (r *oomRecord) tasksIn(text string, o *OOMLog) {
	path, ok := strings.CutSuffix(text[len("Tasks in "):], oomTasksIn)
	if !ok {
		return
	}
	r.group = path
	if n := len(r.killed); n > 0 && len(o.Kills) > 0 && o.Kills[len(o.Kills)-1].PID == r.killed[n-1] {
		last := &o.Kills[len(o.Kills)-1]
		last.Group = true
		if last.Cgroup == "" {
			last.Cgroup = path
		}
	}
}

// oomPieces joins a line that was printed piecemeal (KERN_CONT) where another
// CPU's came between, or it was longer than the log's lines are; and one with a
// task's name in it that holds a newline.
type oomPieces struct {
	begun  string
	waited int
}

const (
	oomPiecesMax = 4096 // bytes
	oomWaitMax   = 8    // lines in between
)

// join gives the whole line once it is there.
func (p *oomPieces) join(text string) (string, bool) {
	if p.begun == "" {
		if oomWhole(text) {
			return text, true
		}
		p.begun, p.waited = text, 0
		return "", false
	}
	begun := p.begun
	trimmed := strings.TrimLeft(text, " ")
	switch {
	case strings.HasPrefix(begun, "oom-kill:") && !strings.Contains(begun, ",task="), strings.HasPrefix(begun, "Task"):
		switch {
		case strings.HasPrefix(trimmed, ",") || strings.HasPrefix(trimmed, "/"):
			begun += trimmed
		case containsAny(trimmed, "killed as a result of", "as a result of limit", "are going to be killed"):
			begun = strings.TrimRight(begun, " ") + " " + trimmed
		default:
			p.waited++
			if p.waited > oomWaitMax {
				p.begun = ""
			}
			return text, true
		}
	case len(begun)-max(strings.LastIndex(begun, ",task="), strings.LastIndexByte(begun, '(')) > len(",task=")+oomCommMax:
		p.begun = "" // no task's name is as long
		return text, true
	default:
		begun += "\n" + text
	}
	if !oomWhole(begun) && len(begun) < oomPiecesMax {
		p.begun = begun
		return "", false
	}
	p.begun = ""
	return begun, true
}

// oomWhole: it is no line that has only begun.
func oomWhole(text string) bool {
	switch {
	case strings.HasPrefix(text, "oom-kill:constraint="):
		return parseOOMSummary(text).victim.pid > 0
	case strings.HasPrefix(text, "Task in "):
		return strings.Contains(text, oomTaskIn+"/")
	case strings.HasPrefix(text, "Tasks in "):
		return strings.HasSuffix(text, oomTasksIn)
	}
	_, rest, ok := cutOOMMessage(text, "Killed process ")
	return !ok || strings.Contains(rest, ")") || !strings.Contains(rest, "(")
}
