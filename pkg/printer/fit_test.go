package printer

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// long is a ranking with more rows than any screen.
func long() correlate.FDRanking {
	r := sickRanking()
	for i := range 60 {
		r.Rows = append(r.Rows, fdRow(correlate.Owner{Type: correlate.OwnerUnit, Unit: fmt.Sprintf("unit-%02d.service", i)}, 60-i, 0, "daemon"))
	}
	return r
}

func fit(t *testing.T, s Style, height int) string {
	t.Helper()
	text, err := Fit(s, height, func(s Style) (string, error) {
		var b bytes.Buffer
		err := FD(&b, long(), sickFindings(), s)
		return b.String(), err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// However small or large a terminal is, a text must not scroll it, nor leave a
// screen empty.
func TestFitsEveryScreen(t *testing.T) {
	for _, width := range []int{1, 20, 33, 80, 200} {
		for height := 1; height <= 120; height++ {
			for _, top := range []int{0, 3, 20} {
				text := fit(t, Style{Width: width, Top: top, Color: height%2 == 0}, height)
				if rows := screenRows(text, width); rows > height-1 {
					t.Fatalf("%dx%d, top %d: %d rows:\n%s", width, height, top, rows, text)
				} else if rows == 0 && height > 1 {
					t.Fatalf("%dx%d, top %d: nothing is shown", width, height, top)
				}
			}
		}
	}
}

// Fewer rows of the ranking make room for what is wrong.
func TestFitShowsFindingsBeforeMoreRows(t *testing.T) {
	text := fit(t, Style{Width: 120, Top: 20}, 30)
	for _, want := range []string{"prod/hub-0", "more with", "CRITICAL fd-node-limit", "kubectl -n prod delete pod hub-0"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "make the window larger") {
		t.Errorf("cut, though it could fit:\n%s", text)
	}
}

func TestFitCutsWithANote(t *testing.T) {
	text := fit(t, Style{Width: 80, Top: 20}, 8)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > 7 || !strings.Contains(lines[len(lines)-1], "more lines: make the window larger") || !strings.Contains(text, "prod/hub-0") {
		t.Errorf("got\n%s", text)
	}
}

// Height 0 is no screen: all is shown.
func TestFitWithoutAHeight(t *testing.T) {
	if text := fit(t, Style{Width: 80}, 0); !strings.Contains(text, "unit-59.service") || !strings.Contains(text, "delete pod") {
		t.Errorf("got\n%s", text)
	}
}
