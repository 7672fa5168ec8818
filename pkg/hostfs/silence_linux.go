package hostfs

import (
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// maxLeftBehind goroutines wait for what does not answer, each with a thread.
const maxLeftBehind = 64

// Find tries the files of these processes, each in a goroutine, and notes those
// that do not answer within patience, or the end of done. Once too many do not,
// the rest is noted as untried. An answer that comes later strikes its process off.
func (s *Silence) Find(f FS, pids []int, patience time.Duration, done <-chan struct{}) {
	room := make(chan struct{}, maxLeftBehind)
	answers := make(chan struct{}, 2*len(pids))
	over := time.NewTimer(patience)
	defer over.Stop()
	try := func(pid int, what Unanswered, read func(dir string)) bool {
		select {
		case room <- struct{}{}:
		case <-over.C:
			return false
		case <-done:
			return false
		}
		s.Add(pid, what)
		go func() {
			read(f.Proc + "/" + strconv.Itoa(pid) + "/")
			s.Remove(pid, what)
			<-room
			answers <- struct{}{}
		}()
		return true
	}
	tries := 0
	for i, pid := range pids {
		if s.Of(pid) != 0 {
			continue // somebody waits for it already
		}
		if !try(pid, Access, tryAccess) || !try(pid, Memory, tryMemory) {
			for _, left := range pids[i:] {
				s.Add(left, Untried)
			}
			return
		}
		tries += 2
	}
	for range tries {
		select {
		case <-answers:
		case <-over.C:
			return
		case <-done:
			return
		}
	}
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
