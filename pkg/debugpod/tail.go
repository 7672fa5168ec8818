package debugpod

import "sync"

// tail keeps the begin and the end of what is written to it: a program that
// crashes says first why, and a shell last.
type tail struct {
	mu          sync.Mutex
	first, last []byte
	left        bool // something between them is left out
}

const maxTail = 2048

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const half = maxTail / 2
	n := min(len(b), half-len(t.first))
	t.first = append(t.first, b[:n]...)
	t.last = append(t.last, b[n:]...)
	if over := len(t.last) - half; over > 0 {
		t.last, t.left = append(t.last[:0], t.last[over:]...), true
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left {
		return string(t.first) + " … " + string(t.last)
	}
	return string(t.first) + string(t.last)
}
