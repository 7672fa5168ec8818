package cmd

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// progress shows on a terminal what is being waited for, in one line that is
// gone when the answer comes. Elsewhere it is silent.
type progress struct {
	out   io.Writer
	width int // 0: no terminal
	mu    sync.Mutex
	shown bool
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		p.width, _, _ = term.GetSize(int(f.Fd()))
	}
	return p
}

// eraseLine returns to the line's start and clears it (ECMA-48 EL).
const eraseLine = "\r\x1b[K"

func (p *progress) show(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.width <= 1 {
		return
	}
	fmt.Fprint(p.out, eraseLine+runewidth.Truncate(report.Clean(what)+" …", p.width-1, "…"))
	p.shown = true
}

func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.out, eraseLine)
	}
	p.shown = false
}

// warn prints a line that stays.
func (p *progress) warn(what string) {
	p.clear()
	fmt.Fprintln(p.out, "warning:", report.Clean(what))
}
