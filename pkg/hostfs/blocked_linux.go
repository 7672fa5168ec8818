package hostfs

import (
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// maxLeftBehind goroutines wait for what does not answer, each with a thread.
const maxLeftBehind = 64

// FindBlocked tries the files of these processes, and says which of them do not
// answer within patience. Once too many do not, the rest counts as blocked.
func FindBlocked(f FS, pids []int, patience time.Duration) map[int]Blocked {
	type answer struct {
		pid  int
		what Blocked
	}
	answers := make(chan answer, 2*len(pids))
	room := make(chan struct{}, maxLeftBehind)
	blocked := map[int]Blocked{}
	try := func(pid int, what Blocked, read func(dir string)) {
		blocked[pid] |= what
		select {
		case room <- struct{}{}:
		case <-time.After(patience):
			return
		}
		go func() {
			read(f.Proc + "/" + strconv.Itoa(pid) + "/")
			answers <- answer{pid, what}
			<-room
		}()
	}
	for _, pid := range pids {
		try(pid, BlockedAccess, tryAccess)
		try(pid, BlockedMemory, tryMemory)
	}
	deadline := time.After(patience)
	for range 2 * len(pids) {
		select {
		case a := <-answers:
			if blocked[a.pid] &^= a.what; blocked[a.pid] == 0 {
				delete(blocked, a.pid)
			}
		case <-deadline:
			return blocked
		}
	}
	return blocked
}

func tryAccess(dir string) {
	tryRead(dir + "stat")
	_, _ = unix.Readlink(dir+"exe", make([]byte, 1))
}

func tryMemory(dir string) { tryRead(dir + "cmdline") }

func tryRead(name string) {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	_, _ = unix.Read(fd, make([]byte, 1))
}
