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
	out io.Writer
	// width is the terminal's now; nil: no terminal.
	width func() int
	mu    sync.Mutex
	shown bool
	// warned, if set, is told what is warned of, in place of out.
	warned func(string)
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		p.width = func() int {
			width, _, _ := term.GetSize(int(f.Fd()))
			return width
		}
	}
	return p
}

// eraseLine returns to the line's start and clears it (ECMA-48 EL).
const eraseLine = "\r\x1b[K"

func (p *progress) show(what string) { p.line(what + " …") }

// line shows a line as it is, cut to the terminal's width.
func (p *progress) line(text string) {
	if p.width == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	width := p.width()
	if width <= 1 {
		return
	}
	fmt.Fprint(p.out, eraseLine+runewidth.Truncate(report.Clean(text), width-1, "…"))
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
	if p.warned != nil {
		p.warned(what)
		return
	}
	p.clear()
	fmt.Fprintln(p.out, "warning:", report.Clean(what))
}
