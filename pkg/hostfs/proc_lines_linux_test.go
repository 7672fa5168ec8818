package hostfs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestEachLine(t *testing.T) {
	dir := t.TempDir()
	p, err := OpenProc(FS{Proc: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	long := strings.Repeat("x", maxProcLine)
	many := strings.Repeat("0123456789abcdef\n", 20_000)
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"nothing":                      {"", nil},
		"lines":                        {"a\n\nb\n", []string{"a", "b"}},
		"no newline at the end":        {"a\nb", []string{"a", "b"}},
		"the longest":                  {long + "\nb\n", []string{long, "b"}},
		"too long is left out":         {"a\n" + long + "y\nb\n", []string{"a", "b"}},
		"many times too long":          {"a\n" + strings.Repeat(long, 20) + "\nb\n", []string{"a", "b"}},
		"too long and cut off":         {"a\n" + strings.Repeat(long, 20), []string{"a"}},
		"many buffers":                 {many, strings.Fields(many)},
		"a line across two of them":    {many + long[:999] + "\n" + many, append(append(strings.Fields(many), long[:999]), strings.Fields(many)...)},
		"too long across two of them ": {many + strings.Repeat(long, 5) + "\n" + many, append(strings.Fields(many), strings.Fields(many)...)},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, "f"), []byte(c.in), 0o600); err != nil {
				t.Fatal(err)
			}
			var got []string
			if err := p.EachLine("f", func(line []byte) bool { got = append(got, string(line)); return true }); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %d lines, want %d", len(got), len(c.want))
			}
		})
	}
}
