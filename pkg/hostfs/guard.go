package hostfs

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
)

// Guard lets somebody else notice a read of /proc that does not return, and
// keeps a Proc from trying such a file again. It serves one goroutine's reads.
type Guard struct {
	// calls counts system calls, twice each: odd while one is under way.
	calls atomic.Uint64
	// blocked does not change while somebody reads.
	blocked map[int]Blocked
}

// Blocked says what of a process does not answer.
type Blocked uint8

const (
	// BlockedAccess are its stat, links and descriptors. Where the kernel asks
	// whether the reader may trace it, recent ones wait for an execve under way,
	// and that closes files first, which waits for a dead filesystem's daemon.
	BlockedAccess Blocked = 1 << iota
	// BlockedMemory is its cmdline, where FUSE or userfaultfd backs its memory.
	BlockedMemory
)

// ErrBlocked is what reading such a file yields.
var ErrBlocked = errors.New("blocked: it waits for what does not answer")

// NewGuard is one that knows of these processes.
func NewGuard(blocked map[int]Blocked) *Guard { return &Guard{blocked: blocked} }

// Under is the number of the system call under way; ok is false between two.
func (g *Guard) Under() (call uint64, ok bool) {
	n := g.calls.Load()
	return n, n%2 == 1
}

// refuses says whether a path, "PID/file" and a NUL, is known to block.
func (g *Guard) refuses(path []byte) bool {
	if len(g.blocked) == 0 {
		return false
	}
	number, file, ok := strings.Cut(string(bytes.TrimSuffix(path, []byte{0})), "/")
	pid, err := strconv.Atoi(number)
	return ok && err == nil && g.blocked[pid]&waitsFor(file) != 0
}

// waitsFor says what a file of /proc/PID needs of the process; 0 for those that
// the kernel always answers.
func waitsFor(file string) Blocked {
	switch file {
	case "cmdline":
		return BlockedMemory
	case "status", "cgroup", "limits", "mountinfo", "task", "uid_map", "gid_map",
		"loginuid", "sessionid", "oom_score", "oom_score_adj":
		return 0
	}
	if strings.HasPrefix(file, "net/") {
		return 0
	}
	return BlockedAccess
}
