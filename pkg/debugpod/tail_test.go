package debugpod

import (
	"io"
	"strings"
	"testing"
)

func TestTailKeepsBothEnds(t *testing.T) {
	for name, c := range map[string]struct {
		writes []string
		want   string
	}{
		"little":      {[]string{"fatal ", "error"}, "fatal error"},
		"just enough": {[]string{strings.Repeat("a", maxTail)}, strings.Repeat("a", maxTail)},
		"one too many": {[]string{"fatal", strings.Repeat("a", maxTail-8), "last"},
			"fatal" + strings.Repeat("a", maxTail/2-5) + " … " + strings.Repeat("a", maxTail/2-4) + "last"},
	} {
		t.Run(name, func(t *testing.T) {
			var got tail
			for _, w := range c.writes {
				if n, err := io.WriteString(&got, w); n != len(w) || err != nil {
					t.Errorf("wrote %d of %d, %v", n, len(w), err)
				}
			}
			if got.String() != c.want {
				t.Errorf("got %q, want %q", got.String(), c.want)
			}
		})
	}
}
