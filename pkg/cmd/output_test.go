package cmd

import (
	"bytes"
	"encoding/json"
	"testing"
)

// A long answer is for programs: it is on one line.
func TestLongJSON(t *testing.T) {
	for long, lines := range map[bool]int{false: 8, true: 1} {
		values := []string{"<a>\n", "\u2028"}
		if long {
			values = append(values, make([]string, maxIndented/8)...)
		}
		o := newOutputFlags()
		o.format = "json"
		var out bytes.Buffer
		if err := o.print(&out, "Test", map[string]any{"values": values}, nil); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Kind   string
			Values []string
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.Kind != "Test" || len(got.Values) != len(values) || got.Values[0] != "<a>\n" {
			t.Errorf("long %v: %v, %d values", long, err, len(got.Values))
		}
		if n := bytes.Count(out.Bytes(), []byte("\n")); n != lines {
			t.Errorf("long %v: %d lines, want %d", long, n, lines)
		}
	}
}
