package hostfs

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
)

// Unanswered says what of a process does not answer.
type Unanswered uint8

const (
	// Access is its stat, links and descriptors. Where the kernel asks whether
	// the reader may trace it, recent ones wait for an execve under way, and that
	// closes files first, which waits for a dead filesystem's daemon.
	Access Unanswered = 1 << iota
	// Memory is its cmdline, where FUSE or userfaultfd backs its memory, and what
	// else waits for its mmap_lock: smaps_rollup.
	Memory
	// Info is its fdinfo: that of an instance with a million inotify watches
	// takes the kernel seconds.
	Info
	// Else are the files that wait for no process, on any kernel so far.
	Else
	// Untried is what nobody knows, after so many others did not answer.
	Untried
)

// Errors of reading such a file.
var (
	ErrUnanswered = errors.New("no answer: the read does not return")
	ErrUntried    = errors.New("not tried: too many others do not answer")
)

// Silence is what does not answer, by process. It lives as long as anybody
// reads: what is answered at last is struck off.
type Silence struct {
	mu sync.Mutex
	of map[int]Unanswered
}

// NewSilence is one that knows of none.
func NewSilence() *Silence { return &Silence{of: map[int]Unanswered{}} }

// Add notes what does not answer, Remove that it did after all.
func (s *Silence) Add(pid int, what Unanswered) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of[pid] |= what
}

// Remove is the reverse of Add.
func (s *Silence) Remove(pid int, what Unanswered) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[pid] &^= what; s.of[pid] == 0 {
		delete(s.of, pid)
	}
}

// Of is what is known of a process.
func (s *Silence) Of(pid int) Unanswered {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[pid]
}

// Guard lets somebody else notice a read of /proc that does not return, and
// keeps a Proc from trying such a file. It serves one goroutine's reads.
type Guard struct {
	// calls counts system calls, twice each: odd while one is under way.
	calls atomic.Uint64
	// at is the file that was opened last, a pid and what it waits for.
	at     atomic.Uint64
	silent map[int]Unanswered
}

// Guard is a new one, with what is known by now.
func (s *Silence) Guard() *Guard {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := &Guard{silent: map[int]Unanswered{}}
	for pid, what := range s.of {
		g.silent[pid] = what
	}
	return g
}

// Under is the number of the system call under way; ok is false between two.
func (g *Guard) Under() (call uint64, ok bool) {
	n := g.calls.Load()
	return n, n%2 == 1
}

// At is what is being read, of which process; 0 for the node's own files.
func (g *Guard) At() (pid int, what Unanswered) {
	at := g.at.Load()
	return int(at >> 8), Unanswered(at)
}

// check notes a path, "PID/file" and a NUL, and says why it must not be read.
func (g *Guard) check(path []byte) error {
	number, file, _ := bytes.Cut(path[:len(path)-1], []byte{'/'})
	pid, ok := parsePID(number)
	if !ok {
		g.at.Store(0)
		return nil
	}
	what := waitsFor(file)
	g.at.Store(uint64(pid)<<8 | uint64(what))
	switch silent := g.silent[pid]; {
	case silent&what != 0:
		return ErrUnanswered
	case silent&Untried != 0 && what != Else:
		return ErrUntried
	}
	return nil
}

// waitsFor says what a file of /proc/PID needs of the process.
func waitsFor(file []byte) Unanswered {
	switch string(file) {
	case "cmdline", "smaps_rollup":
		return Memory
	case "status", "statm", "cgroup", "limits", "mountinfo", "task", "uid_map", "gid_map",
		"loginuid", "sessionid", "oom_score", "oom_score_adj":
		return Else
	}
	switch name := string(file); {
	case strings.HasPrefix(name, "net/"), strings.HasPrefix(name, "task/") && strings.HasSuffix(name, "/status"):
		return Else
	case strings.HasPrefix(name, "fdinfo/"):
		return Info
	}
	return Access
}

func parsePID(name []byte) (int, bool) {
	if len(name) == 0 || name[0] == '0' {
		return 0, false
	}
	pid := 0
	for _, c := range name {
		if c < '0' || c > '9' || pid > 1<<24 {
			return 0, false
		}
		pid = pid*10 + int(c-'0')
	}
	return pid, true
}
