package cmd

import (
	"fmt"
	"strings"
	"testing"
)

// fakeTerminal plays the part of a terminal: what is on its screens after what was
// written. It knows only what a screen writes, and fails on anything else.
type fakeTerminal struct {
	width, height int
	normal, other []string
	alternate     bool
	scrolled      bool
}

func (m *fakeTerminal) Write(p []byte) (int, error) {
	for rest := string(p); rest != ""; {
		switch {
		case strings.HasPrefix(rest, enterScreen):
			m.alternate, m.other, rest = true, nil, rest[len(enterScreen):]
		case strings.HasPrefix(rest, leaveScreen):
			m.alternate, rest = false, rest[len(leaveScreen):]
		case strings.HasPrefix(rest, clearScreen):
			if m.alternate {
				m.other = nil
			}
			rest = rest[len(clearScreen):]
		case strings.HasPrefix(rest, "\x1b"):
			return 0, fmt.Errorf("unknown sequence %q", rest[:min(len(rest), 10)])
		default:
			line, after, _ := strings.Cut(rest, "\n")
			if m.alternate {
				m.other = append(m.other, line)
				m.scrolled = m.scrolled || len(m.other) >= m.height
			} else {
				m.normal = append(m.normal, line)
			}
			rest = after
		}
	}
	return len(p), nil
}

func (m *fakeTerminal) screen() *screen {
	return &screen{out: m, size: func() (int, int, error) { return m.width, m.height, nil }}
}

// lines is a frame of so many lines, cut to the height.
func lines(name string, count int) frame {
	return func(width, height int, final bool) (string, error) {
		var b strings.Builder
		for i := range count {
			if height > 0 && i >= height-1 {
				break
			}
			fmt.Fprintf(&b, "%s %d at %d, final %v\n", name, i, width, final)
		}
		return b.String(), nil
	}
}

func TestScreen(t *testing.T) {
	m := &fakeTerminal{width: 80, height: 5, normal: []string{"$ before"}}
	s := m.screen()
	try := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	try(s.resize()) // before the first frame there is nothing to show anew
	try(s.close())
	if len(m.normal) != 1 {
		t.Fatalf("got %q", m.normal)
	}
	try(s.draw(lines("a", 9)))
	try(s.draw(lines("b", 2)))
	if want := "b 0 at 80, final false|b 1 at 80, final false"; strings.Join(m.other, "|") != want {
		t.Errorf("got %q, want nothing of the longer frame before", m.other)
	}
	try(s.resize())
	m.width, m.height = 40, 3
	try(s.resize())
	if want := "b 0 at 40, final false|b 1 at 40, final false"; strings.Join(m.other, "|") != want {
		t.Errorf("got %q after a resize", m.other)
	}
	try(s.draw(lines("c", 9)))
	if len(m.other) != 2 || m.scrolled {
		t.Errorf("got %q: it must not scroll", m.other)
	}
	try(s.close())
	try(s.close())
	if m.alternate || len(m.normal) != 10 || m.normal[0] != "$ before" || m.normal[9] != "c 8 at 40, final true" {
		t.Errorf("got %q: what was there before, and the last frame in full", m.normal)
	}
}

// A size that cannot be had, as while a window is made, is no reason to fail.
func TestScreenWithoutASize(t *testing.T) {
	m := &fakeTerminal{height: 24}
	s := &screen{out: m, size: func() (int, int, error) { return 0, 0, nil }}
	if err := s.draw(lines("a", 1)); err != nil || m.other[0] != "a 0 at 80, final false" {
		t.Errorf("%v, %q", err, m.other)
	}
}

func TestNoScreenInAPipe(t *testing.T) {
	if newScreen(&strings.Builder{}) != nil {
		t.Error("a pipe cannot be refreshed")
	}
}

// Whoever leaves without waiting must know how to give the terminal back.
func TestScreenNotesWhatEndsIt(t *testing.T) {
	m := &fakeTerminal{width: 80, height: 5}
	s := m.screen()
	left := &leftBehind{}
	ctx := withLeftBehind(t.Context(), left)
	s.restore = func(text string) { noteRestore(ctx, text) }
	if err := s.draw(lines("one", 2)); err != nil {
		t.Fatal(err)
	}
	if text := left.restore.Load(); text == nil || !m.alternate {
		t.Fatal("nothing is noted")
	} else if _, err := m.Write([]byte(*text)); err != nil || m.alternate {
		t.Errorf("%q leaves the terminal on the other screen: %v", *text, err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if text := left.restore.Load(); *text != "" {
		t.Errorf("%q is noted after the end", *text)
	}
}
