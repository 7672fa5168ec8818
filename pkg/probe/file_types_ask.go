//go:build linux

package probe

import (
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

type typeQuestion struct {
	pid    int
	fd     string
	fstype string
}

type typeAnswer struct {
	mode uint16
	err  error
}

// typeAsker asks from a thread of its own. Nobody waits for it for long.
type typeAsker struct {
	ask    chan typeQuestion
	answer chan typeAnswer
	over   *time.Timer
}

func newTypeAsker(fs hostfs.FS) (*typeAsker, error) {
	fs.Guard = nil // that of the collector, which is not to be held up
	proc, err := hostfs.OpenProc(fs)
	if err != nil {
		return nil, err
	}
	return startTypeAsker(func(q typeQuestion) typeAnswer {
		mode, err := proc.FDType(q.pid, q.fd, q.fstype)
		return typeAnswer{mode, err}
	}, func() { proc.Close() }), nil
}

// startTypeAsker: an answer finds room even when nobody waits for it any more.
func startTypeAsker(look func(typeQuestion) typeAnswer, end func()) *typeAsker {
	a := &typeAsker{ask: make(chan typeQuestion), answer: make(chan typeAnswer, 1), over: time.NewTimer(time.Hour)}
	go func() {
		defer end()
		for q := range a.ask {
			a.answer <- look(q)
		}
	}()
	return a
}

// put asks one question; ok is false where the answer took too long, and then
// that was the last question.
func (a *typeAsker) put(q typeQuestion, patience time.Duration) (answer typeAnswer, ok bool) {
	a.over.Reset(patience)
	a.ask <- q
	select {
	case answer = <-a.answer:
		return answer, true
	case <-a.over.C:
		close(a.ask)
		return answer, false
	}
}

// typeMounts knows what filesystem a mount has, by the mount's id, which is one
// for all namespaces.
type typeMounts struct {
	proc  *hostfs.Proc
	types map[int32]uint8 // by id, as an index into names, and 1 more
	ids   map[string]uint8
	names []string
	left  int // lines to read
	last  int // the process whose mounts were read last
}

// fstype reads the mounts of a process where it holds one that is not known, and
// the host's before: what a service with mounts of its own was started with is
// on those. "" is one that no namespace read so far has: the kernel's own, one
// that was unmounted.
func (m *typeMounts) fstype(pid, id int) string {
	for _, of := range []int{1, pid} {
		if m.types[int32(id)] == 0 && m.last != of && (of == pid || m.last == 0) && m.left > 0 {
			m.last = of
			_, _ = m.proc.EachMountLineOf(of, m.add) // what it does not tell is not known
		}
	}
	if i := m.types[int32(id)]; i > 0 {
		return m.names[i-1]
	}
	return ""
}

func (m *typeMounts) add(l *hostfs.MountLine) {
	if m.left--; m.left < 0 {
		return
	}
	i, known := m.ids[string(l.FSType)]
	if !known {
		if len(m.names) == 255 {
			return
		}
		m.names = append(m.names, hostfs.Unmangle(l.FSType))
		i = uint8(len(m.names))
		m.ids[string(l.FSType)] = i
	}
	m.types[int32(l.ID)] = i
}
