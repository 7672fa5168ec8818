package calendar

import (
	"testing"
	"time"
)

// What systemd-analyze timespan says (systemd 252).
func TestSpans(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"5min 20s": 320 * time.Second, "1h30min": 90 * time.Minute, "12h": 12 * time.Hour, "90": 90 * time.Second,
		"1 h 2 m": 62 * time.Minute, "0": 0, "1.5h": 90 * time.Minute, "2 weeks": 336 * time.Hour, "1d 500ms": 24*time.Hour + 500*time.Millisecond,
		"1M": 2629800 * time.Second, "1year": 31557600 * time.Second, "10us": 10 * time.Microsecond, "infinity": Forever,
		"9000000000": 9_000_000_000 * time.Second,
	} {
		if got, err := ParseSpan(text); err != nil || got != want {
			t.Errorf("%q: got %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "h", "1x", "-5s", "1h min", "1e5", "999999 years", "1.2.3s", "9300000000", "9223372037"} {
		if got, err := ParseSpan(text); err == nil {
			t.Errorf("%q is taken for %s", text, got)
		}
	}
}

func FuzzParseSpan(f *testing.F) {
	f.Add("5min 20s")
	f.Add("1.h")
	f.Add("9300000000")
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := ParseSpan(text); err == nil && d < 0 {
			t.Errorf("%q is %s", text, d)
		}
	})
}
