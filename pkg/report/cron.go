package report

// Cron is what the node's cron files say of an asked process.
type Cron struct {
	PID int `json:"pid"`
	// Daemon is the ancestor that starts jobs, DaemonComm its name: cron,
	// crond, anacron, atd. 0: the process lives in its cgroup only.
	Daemon     int    `json:"daemon,omitempty"`
	DaemonComm string `json:"daemonComm"`
	// Entries are the jobs that fit, the outermost first.
	Entries []CronEntry `json:"entries,omitempty"`
}

// CronEntry is a line of a crontab, or a script in a directory of run-parts.
type CronEntry struct {
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"` // 0: the whole file, a script
	Schedule string `json:"schedule,omitempty"`
	Zone     string `json:"zone,omitempty"` // CRON_TZ
	User     string `json:"user,omitempty"`
	Command  string `json:"command,omitempty"`
	// By tells how it fits: CronByCommand and so on.
	By string `json:"by"`
	// PID is the process that it is about, on the way to the asked one.
	PID int `json:"pid,omitempty"`
}

// How a cron entry fits a process.
const (
	// CronByCommand: the shell that cron started has this very command.
	CronByCommand = "command"
	// CronByArguments: the shell became the command; its arguments are those.
	CronByArguments = "arguments"
	// CronByScript: run-parts started this file of its directory.
	CronByScript = "script"
	// CronByMention: the command names the process's program, which is a hint.
	CronByMention = "mention"
)
