package cmd

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// What a terminal is told (ECMA-48, xterm): the alternate screen keeps what was
// on it before, and has no lines that a resize could wrap anew.
const (
	enterScreen = "\x1b[?1049h"
	leaveScreen = "\x1b[?1049l"
	clearScreen = "\x1b[H\x1b[J" // home, and erase from there
)

// frame is what a screen shows: a text for a size. The final one stays on the
// terminal and may be of any height, 0.
type frame func(width, height int, final bool) (string, error)

// screen shows frames in one place of a terminal, and leaves the last one there.
type screen struct {
	out           io.Writer
	size          func() (width, height int, err error)
	shown         frame
	width, height int // of what is shown
	// restore, if set, is told what ends the screen while there is one.
	restore func(text string)
}

// newScreen is nil where out is no terminal that could be refreshed.
func newScreen(out io.Writer) *screen {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &screen{out: out, size: func() (int, int, error) { return term.GetSize(int(file.Fd())) }}
}

// draw shows a frame in place of what is shown.
func (s *screen) draw(f frame) error {
	width, height, err := s.size()
	if err != nil || width < 1 || height < 1 {
		width, height = 80, 24
	}
	text, err := f(width, height, false)
	if err != nil {
		return err
	}
	begin := ""
	if s.shown == nil {
		begin = enterScreen
		s.note(leaveScreen)
	}
	s.shown, s.width, s.height = f, width, height
	// In one write, so that no half frame is seen.
	_, err = io.WriteString(s.out, begin+clearScreen+text)
	return err
}

func (s *screen) note(restore string) {
	if s.restore != nil {
		s.restore(restore)
	}
}

// resize shows the frame anew where the terminal has another size now.
func (s *screen) resize() error {
	if s.shown == nil {
		return nil
	}
	if width, height, err := s.size(); err == nil && (width != s.width || height != s.height) {
		return s.draw(s.shown)
	}
	return nil
}

// close gives the terminal back as it was, with the last frame on it in full.
func (s *screen) close() error {
	if s.shown == nil {
		return nil
	}
	width := s.width
	if w, _, err := s.size(); err == nil && w > 0 {
		width = w
	}
	text, err := s.shown(width, 0, true)
	s.shown = nil
	defer s.note("")
	// A terminal without an alternate screen is left with a cleared one.
	if _, writeErr := fmt.Fprint(s.out, clearScreen+leaveScreen+text); err == nil {
		err = writeErr
	}
	return err
}
