package cmd

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// leftBehind is what is to be done if we leave without waiting.
type leftBehind struct {
	restore atomic.Pointer[string] // what gives the terminal back as it was

	mu   sync.Mutex
	pods map[*podNote]bool // to be removed by hand
}

// podNote is one pod that may exist: the command that deletes it, and the one that
// finds all of its kind.
type podNote struct{ remove, cleanUp string }

// byHand says what to run, "" for nothing.
func (l *leftBehind) byHand() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	pods := slices.Collect(maps.Keys(l.pods))
	switch len(pods) {
	case 0:
		return ""
	case 1:
		return "if the pod is still there: " + pods[0].remove
	}
	return fmt.Sprintf("%d pods end by themselves, their records stay: %s", len(pods), pods[0].cleanUp)
}

func (l *leftBehind) note(p *podNote) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pods == nil {
		l.pods = map[*podNote]bool{}
	}
	l.pods[p] = true
}

func (l *leftBehind) forget(p *podNote) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pods, p)
}

type leftBehindKey struct{}

func withLeftBehind(ctx context.Context, l *leftBehind) context.Context {
	return context.WithValue(ctx, leftBehindKey{}, l)
}

// leftBehindOf is where a run notes its pods; one that nobody reads if there is none.
func leftBehindOf(ctx context.Context) *leftBehind {
	if l, ok := ctx.Value(leftBehindKey{}).(*leftBehind); ok {
		return l
	}
	return &leftBehind{}
}

// noteRestore remembers what gives the terminal back as it was, for a second
// Ctrl-C; "" forgets it.
func noteRestore(ctx context.Context, text string) { leftBehindOf(ctx).restore.Store(&text) }

// podNotes are those of one session, which has one pod at a time: a node that
// does not use an image gets another pod.
type podNotes struct {
	left    *leftBehind
	cleanUp string
	now     *podNote
}

// created is told the command that deletes a pod just before there is one.
func (n *podNotes) created(remove string) {
	n.gone()
	n.now = &podNote{remove: remove, cleanUp: n.cleanUp}
	n.left.note(n.now)
}

func (n *podNotes) gone() {
	if n.now != nil {
		n.left.forget(n.now)
	}
	n.now = nil
}
