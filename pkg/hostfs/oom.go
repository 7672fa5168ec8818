package hostfs

// OOMKill is a process that the kernel has killed for memory, by what its log
// says of it (mm/oom_kill.c, mm/memcontrol.c). Sizes are bytes.
type OOMKill struct {
	Seconds float64 // as a KernelLine's
	PID     int
	Comm    string
	UID     *int

	TotalVM, AnonRSS, FileRSS, ShmemRSS, PageTables *uint64
	ScoreAdj                                        *int

	OOMContext
	// Group: killed with others by memory.oom.group.
	Group bool
}

// OOMContext is what the kernel prints before it kills.
type OOMContext struct {
	// Constraint is the kernel's own name, CONSTRAINT_MEMCG.
	Constraint string
	// LimitCgroup was at its limit, Cgroup is the victim's.
	LimitCgroup, Cgroup string
	Usage, Limit        *uint64 // of LimitCgroup
	Invoker             string
	InvokerPID          int
	SysRq               bool
	Largest             []OOMTask
}

// OOMTask is a task of the kernel's table.
type OOMTask struct {
	PID      int // of the process
	Comm     string
	RSS      uint64 // bytes
	ScoreAdj int
}

const (
	oomMemcg = "CONSTRAINT_MEMCG"
	oomNone  = "CONSTRAINT_NONE"

	// oomApart: lines of one kill do not come so many seconds apart, not even through
	// a slow serial console.
	oomApart = 5.0
)

// OOMLog makes kills of the lines of a kernel's log. The kernel prints at most
// ten tables in five seconds, for all kills: a kill beyond has its own line only,
// and takes no limit from an earlier one's context.
type OOMLog struct {
	// PageBytes is the unit of the table, MaxKills and MaxTasks are bounds.
	PageBytes          uint64
	MaxKills, MaxTasks int
	// Kills, oldest first; Left counts those beyond MaxKills, which are older.
	Kills []OOMKill
	Left  int

	record oomRecord
	pieces oomPieces
	sysRq  bool
}

// oomRecord is what has been printed for the next kill.
type oomRecord struct {
	OOMContext
	seconds float64 // of its newest line
	table   oomTable
	// victim is whom the summary names, since 5.0; uid is the victim's.
	victim oomVictim
	uid    *int
	// announced is the line "…: Kill process N (name) score 9 or sacrifice child" of
	// before 5.2: of that one or of a child of its.
	announced bool
	message   string
	// group is the cgroup whose tasks all die; killed are those that are said to.
	group  string
	killed []int
	// mixed: two kills print at once, which 3.10 lets them. Whose is whose nobody knows.
	mixed bool
}

type oomVictim struct {
	pid  int
	comm string
}

// Add takes a line. Those that processes wrote do not count.
func (o *OOMLog) Add(l KernelLine) {
	if l.FromUser {
		return
	}
	if text, ok := o.pieces.join(l.Text); ok {
		l.Text = text
		o.line(l)
	}
}

func (o *OOMLog) line(l KernelLine) {
	r := &o.record
	if l.Seconds-r.seconds >= oomApart {
		*r = oomRecord{seconds: l.Seconds}
	}
	if r.read(l.Text, o) {
		r.seconds = l.Seconds
		return
	}
	if message, k, ok := parseOOMKilled(l.Text); ok {
		k.Seconds = l.Seconds
		o.kill(k, message)
		return
	}
	if v, ok := parseOOMReaped(l.Text); ok && !o.knows(v.pid) {
		o.keep(OOMKill{Seconds: l.Seconds, PID: v.pid, Comm: v.comm}) // its own line is no longer there
		return
	}
	if name, sysRq, ok := parseOOMInvoked(l.Text); ok {
		o.invoked(l, name, sysRq)
	}
}

// invoked begins a record, unless one has begun whose kill is still to come; since
// 5.0 (the summary), and long before, the kernel kills for one at a time.
func (o *OOMLog) invoked(l KernelLine, name string, sysRq bool) {
	if r := &o.record; r.Cgroup != "" && r.victim.pid == 0 && len(r.killed) == 0 {
		r.Invoker, r.InvokerPID = "", 0
		return
	}
	o.record = oomRecord{seconds: l.Seconds}
	o.record.Invoker, o.record.SysRq = name, sysRq || o.sysRq
	o.sysRq = false
}

func (o *OOMLog) kill(k OOMKill, message string) {
	r := &o.record
	if message == "" {
		message = r.message
	}
	switch {
	case r.memberOf(k):
		for _, pid := range r.killed {
			if pid == k.PID { // the first victim is one of them
				return
			}
		}
		k.OOMContext, k.Group = r.OOMContext, true
		k.Cgroup, k.Largest = r.group, nil
	case len(r.killed) == 0 && r.fits(k, message):
		k.OOMContext = r.OOMContext
		k.Largest = r.table.largest
		if k.UID == nil && r.victim.pid == k.PID {
			k.UID = r.uid
		}
	case message == oomMemcg && !r.mixed && r.table.has(k.PID):
		k.Cgroup = r.LimitCgroup // somewhere in it, a moment ago
	}
	if k.Constraint == "" {
		k.Constraint = message
	}
	r.killed, r.announced, r.message, r.seconds = append(r.killed, k.PID), false, "", k.Seconds
	o.keep(k)
}

// memberOf: the kill is one of a group's.
func (r *oomRecord) memberOf(k OOMKill) bool {
	if r.group == "" || r.announced {
		return false
	}
	return r.table.has(k.PID) || len(r.table.pids) == 0
}

// fits says whether what was printed is about this kill.
func (r *oomRecord) fits(k OOMKill, message string) bool {
	switch {
	case r.mixed, message == oomMemcg && r.Constraint == "" && r.LimitCgroup == "" && r.Invoker != "",
		message == oomNone && (r.LimitCgroup != "" || r.Constraint == oomMemcg):
		return false
	case r.victim.pid == 0:
		return true
	}
	// A thread may stand for its process.
	return r.victim.pid == k.PID || r.victim.comm == k.Comm || r.announced
}

func (o *OOMLog) keep(k OOMKill) {
	if len(o.Kills) >= o.MaxKills {
		o.Kills = o.Kills[1:]
		o.Left++
	}
	o.Kills = append(o.Kills, k)
}

func (o *OOMLog) knows(pid int) bool {
	for i := range o.Kills {
		if o.Kills[i].PID == pid {
			return true
		}
	}
	return false
}
