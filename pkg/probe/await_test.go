//go:build linux

package probe

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestAwait(t *testing.T) {
	for name, c := range map[string]struct{ in, want, rest string }{
		"the client":                {"n0nce\nNODEDOC1 …", "", "NODEDOC1 …"},
		"another client":            {"other\n", "another client", ""},
		"a terminal's line end":     {"n0nce\r\n", "another client", ""},
		"an end within the line":    {"n0n", "left before", ""},
		"an end before it":          {"", "left before", ""},
		"a line that does not end":  {strings.Repeat("x", 1000), "without an end of line", ""},
		"nonce of the right length": {"n0ncf\n", "another client", ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := strings.NewReader(c.in)
			err := Await(t.Context(), in, "n0nce", time.Minute)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q", err, c.want)
				}
				return
			}
			rest, _ := io.ReadAll(in)
			if err != nil || string(rest) != c.rest {
				t.Errorf("got %v, left %q", err, rest)
			}
		})
	}
}

func TestAwaitDoesNotWaitForEver(t *testing.T) {
	in, w := io.Pipe()
	defer w.Close()
	err := Await(t.Context(), in, "n0nce", 20*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "no client came within 20ms") {
		t.Errorf("got %v", err)
	}
}
