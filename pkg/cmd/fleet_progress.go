package cmd

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/schollz/progressbar/v3"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// fleetProgress shows on a terminal how many nodes are done, failed and left,
// and says each warning once. Elsewhere only the warnings are seen.
type fleetProgress struct {
	on   *progress
	mu   sync.Mutex
	bar  *progressbar.ProgressBar
	at   tally
	said map[string]bool
	// leaving: only the pods' removal is waited for.
	leaving bool
}

func newFleetProgress(on *progress) *fleetProgress {
	return &fleetProgress{on: on, said: map[string]bool{}}
}

// tell draws the bar anew. It is rendered by the library and shown as our own
// line, which is cut to the terminal's width and goes when the answer comes.
func (f *fleetProgress) tell(t tally) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bar == nil {
		f.bar = progressbar.NewOptions(max(t.of, 1), progressbar.OptionSetWriter(io.Discard), progressbar.OptionSetWidth(24),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(false))
	}
	_ = f.bar.RenderBlank()          // at 0 there would be none
	_ = f.bar.Set(t.done + t.failed) // it fails beyond its end only
	f.at = t
	f.draw()
}

// leave says from now on what is still waited for after a Ctrl-C.
func (f *fleetProgress) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leaving = true
	f.draw()
}

func (f *fleetProgress) draw() {
	if f.leaving {
		f.on.show("interrupted: removing the pods; Ctrl-C again leaves at once")
		return
	}
	if f.bar == nil {
		return
	}
	f.on.line(fmt.Sprintf("nodes: %d done, %d failed, %d left %s", f.at.done, f.at.failed, f.at.left(), strings.TrimSpace(f.bar.String())))
}

// ofNode is the progress of one node's session: silent, but for its warnings.
func (f *fleetProgress) ofNode(node string) *progress {
	return &progress{out: io.Discard, warned: func(what string) { f.warn(node, what) }}
}

// warn says what concerns a node. What is said of one node after the other, its
// name aside, is said once.
func (f *fleetProgress) warn(node, what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what = report.Clean(what)
	if general := strings.ReplaceAll(what, node, "NODE"); f.said[general] {
		return
	} else {
		f.said[general] = true
	}
	f.on.warn(node + ": " + what)
	f.draw()
}

func (f *fleetProgress) clear() { f.on.clear() }
