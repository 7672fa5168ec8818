package correlate

import (
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// FDRanking is who holds the node's file descriptors.
type FDRanking struct {
	Node string `json:"node"`
	// Time when the look began, by the node's clock.
	Time *time.Time `json:"time,omitempty"`
	// Files are the node's open files against its limit: absent where unreadable.
	Files *FileUsage `json:"files,omitempty"`
	By    By         `json:"by"`
	// Filter says what was left out of Rows, if anything.
	Filter *Filtered `json:"filter,omitempty"`
	// Descriptors is the sum over all processes, filtered or not. A file that
	// several descriptors share, by fork or dup, is one open file.
	Descriptors int     `json:"descriptors"`
	Seconds     float64 `json:"seconds"` // between the two counts
	Rows        []FDRow `json:"rows"`
	// FileTypes is for how many descriptors the kernel has told the type of the
	// file; nil: it was not asked, and a "file" may be a directory or a named FIFO.
	FileTypes *int `json:"fileTypes,omitempty"`
	// Unread is the number of processes whose descriptors could not be counted.
	Unread int `json:"unread,omitempty"`
	// Gaps are what else the answer lacks, and why.
	Gaps []report.Unreadable `json:"gaps,omitempty"`
}

// FDRow is one owner in the ranking.
type FDRow struct {
	Owner Owner `json:"owner"`
	// PID is set when ranked by process, UID when ranked by user.
	PID         int     `json:"pid,omitempty"`
	UID         *int    `json:"uid,omitempty"`
	Descriptors int     `json:"descriptors"`
	Percent     float64 `json:"percent"` // of all descriptors
	// PerSecond is the growth between the two counts, processes that came and
	// went included; nil where there was no first one.
	PerSecond *float64 `json:"perSecond,omitempty"`
	// SettledPerSecond is that of the processes that were there at both counts
	// and were not just starting up.
	SettledPerSecond float64  `json:"settledPerSecond"`
	Processes        int      `json:"processes"`
	Heaviest         Heaviest `json:"heaviest"`
	// HeldMostBy is the owner with the most of them, when ranked by user or kind.
	HeldMostBy *Owner `json:"heldMostBy,omitempty"`
	// Container holds the most of a pod's or workload's descriptors.
	Container string `json:"container,omitempty"`
	// Fastest is the settled process that gained most; nil where none did.
	Fastest *Fastest `json:"fastest,omitempty"`
	// Fullest is the process that is nearest to its own limit; nil where no
	// process has so many that a limit was read.
	Fullest *LimitUse `json:"fullest,omitempty"`
	// Mostly is the largest group of descriptors, Kinds are their sums by kind,
	// most first; none where not looked into. They are read a moment after
	// Descriptors, and may be more where these grow fast.
	Mostly *report.Target   `json:"mostly,omitempty"`
	Kinds  []report.Counted `json:"kinds,omitempty"`
}

// Heaviest is the process with the most descriptors of an owner.
type Heaviest struct {
	PID         int    `json:"pid"`
	Comm        string `json:"comm"`
	Cmdline     string `json:"cmdline,omitempty"`
	Descriptors int    `json:"descriptors"`
}

// Fastest is the process that gained the most descriptors of an owner.
type Fastest struct {
	PID        int     `json:"pid"`
	Comm       string  `json:"comm"`
	AgeSeconds float64 `json:"ageSeconds"`
	Gained     int     `json:"gained"` // between the two counts
	// Steady: in no step between them did it lose any, and in most it gained.
	Steady      bool `json:"steady"`
	Descriptors int  `json:"descriptors"`
	// Mostly is the largest group of its descriptors; nil where not looked into.
	Mostly *report.Target `json:"mostly,omitempty"`
}
