package printer

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/mattn/go-runewidth"
)

var update = flag.Bool("update", false, "write the golden files anew")

// widths: a pipe, a wide and a usual terminal, and one that is too narrow.
var widths = []int{0, 200, 80, 20}

func TestMain(m *testing.M) {
	// Whoever runs the tests may live in a locale where "…" is two cells wide.
	runewidth.DefaultCondition.EastAsianWidth = false
	os.Exit(m.Run())
}

type show func(t *testing.T, s Style) string

// golden compares what is shown at all widths with testdata/<name>.txt, and
// what holds for any text.
func golden(t *testing.T, name string, show show) {
	t.Helper()
	var all bytes.Buffer
	for _, width := range widths {
		plain := show(t, Style{Width: width})
		checkText(t, plain, width)
		if colored := show(t, Style{Width: width, Color: true}); ansi.ReplaceAllString(colored, "") != plain {
			t.Errorf("width %d: colour changes the text, from\n%s\nto\n%s", width, plain, ansi.ReplaceAllString(colored, ""))
		}
		fmt.Fprintf(&all, "--- width %d\n%s", width, plain)
	}
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, all.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := all.String(); got != string(want) {
		t.Errorf("differs from %s (go test -update writes it anew):\n%s", path, firstDifference(got, string(want)))
	}
}

// ansi are the sequences that colours are made of (SGR).
var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

func checkText(t *testing.T, text string, width int) {
	t.Helper()
	if text != "" && !strings.HasSuffix(text, "\n") {
		t.Errorf("width %d: no line end at the end of %q", width, text)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.TrimRight(line, " ") != line {
			t.Errorf("width %d: trailing spaces in %q", width, line)
		}
		for _, r := range line {
			if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
				t.Errorf("width %d: raw %U in %q", width, r, line)
			}
		}
		if width >= 80 && runewidth.StringWidth(line) > width && !oneWord(line) && !isCommand(line) {
			t.Errorf("width %d: %d cells in %q", width, runewidth.StringWidth(line), line)
		}
	}
}

// oneWord: what is too wide is one word, alone behind a label or an indent.
func oneWord(line string) bool {
	before := line[:strings.LastIndexByte(line, ' ')+1]
	return runewidth.StringWidth(before) <= len("  unreadable ")
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// isCommand: it stands whole on a line, to be copied.
func isCommand(line string) bool {
	command := strings.TrimLeft(line, " ")
	indent := len(line) - len(command)
	return strings.HasPrefix(command, "kubectl ") && indent >= 11 && (indent-11)%len(symptomIndent) == 0 // a symptom is indented
}
