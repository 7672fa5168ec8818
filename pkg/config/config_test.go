package config

import (
	"maps"
	"strconv"
	"testing"
)

func TestThresholds(t *testing.T) {
	for text, want := range map[string]map[string]string{
		"":                 {},
		"thresholds: null": {},
		"thresholds: {a.warning: 70%, b.size: 1Gi}":  {"a.warning": "70%", "b.size": "1Gi"},
		"thresholds: {a.warning: 70, a.soon: 1e2}":   {"a.warning": "70", "a.soon": "100"},
		"thresholds:\n  a.rate: 0.5\n  a.soon: '6h'": {"a.rate": "0.5", "a.soon": "6h"},
		"thresholds: {a.warning: true}":              nil,
		"thresholds: {a.warning: [70]}":              nil,
		"thresholds: [70]":                           nil,
		"threshold: {a.warning: 70}":                 nil,
	} {
		if got, err := Thresholds([]byte(text)); !maps.Equal(got, want) || (err != nil) != (want == nil) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
}

// Whatever is in the file: texts by name, or an error; one that is read again is the same.
// It stands here, and not with the rules, as a fuzzed program takes the longer for each
// run the larger it is.
func FuzzConfig(f *testing.F) {
	for _, seed := range []string{"", "# nothing", "thresholds: {fd-node-limit.warning: 70%}", "thresholds:\n  fd-node-limit.soon: 2d\n  memory-growth.size: 1Gi\n", "thresholds: [1]", "thresholds: {fd-node-limit.warning: 1e999}",
		"a: &a [*a]", "thresholds: {fd-node-limit.warning: .nan}", "thresholds: null", "\x00", "- - -", "thresholds: {fd-node-limit.warning: true}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		texts, err := Thresholds(data)
		if (texts == nil) != (err != nil) {
			t.Fatalf("%v, %v", texts, err)
		}
		written := "thresholds: {"
		for name, text := range texts {
			written += strconv.QuoteToASCII(name) + ": " + strconv.QuoteToASCII(text) + ", "
		}
		if again, err := Thresholds([]byte(written + "}")); err != nil || !maps.Equal(again, texts) {
			t.Errorf("%v is read again as %v, %v", texts, again, err)
		}
	})
}
