package calendar

import (
	_ "embed"
	"strings"
	"testing"
	"time"
)

// facts are what systemd-analyze calendar (systemd 252) says: the machine's time
// zone, the local time to begin at, an expression, and its next three moments in
// UTC; or "invalid", or "never".
//
//go:embed testdata/systemd-252.txt
var facts string

func TestSaysWhatSystemdSays(t *testing.T) {
	for line := range strings.Lines(facts) {
		f := strings.Split(strings.TrimSpace(line), "|")
		zone, base, text, want := f[0], f[1], f[2], f[3:]
		t.Run(zone+" "+text, func(t *testing.T) {
			local, err := time.LoadLocation(zone)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.ParseInLocation(time.DateTime, base, local)
			if err != nil {
				t.Fatal(err)
			}
			if got := say(text, at, local, len(want)); strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func say(text string, at time.Time, local *time.Location, n int) []string {
	e, err := Parse(text)
	if err != nil {
		return []string{"invalid"}
	}
	var got []string
	for range n {
		next, ok := e.Next(at, local)
		if !ok {
			return append(got, "never")
		}
		got, at = append(got, next.UTC().Format(time.DateTime)), next
	}
	return got
}

// An event in a zone of its own does not ask where the node is.
func TestOwnZone(t *testing.T) {
	e, err := Parse("*-*-* 12:00 Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	next, _ := e.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.FixedZone("west", -8*3600))
	if got := next.UTC().Format(time.DateTime); got != "2026-01-01 03:00:00" {
		t.Errorf("got %s", got)
	}
}

// A node may write an event that comes a million times a second, and tell a time
// just before an hour that the clock skips or repeats.
func TestClockChangesAreNotSearchedThrough(t *testing.T) {
	for _, c := range []struct{ zone, at, text, want string }{
		{"Europe/Berlin", "2026-03-29T00:30:00Z", "*-*-* 2:*:0/0.000001", "2026-03-30T00:00:00Z"},
		{"Europe/Berlin", "2026-03-29T00:30:00Z", "*-*-* 2,3:*:0/0.000001", "2026-03-29T01:00:00Z"},
		{"Europe/Berlin", "2026-10-25T01:10:00Z", "*-*-* *:*:0/0.000001", "2026-10-25T02:00:00Z"},
		{"Europe/Berlin", "2026-10-25T01:10:00Z", "*-*-* 2:*:0/0.000001", "2026-10-26T01:00:00Z"},
		{"America/Havana", "2026-03-07T06:00:00Z", "*-*-* 0:*:0/0.000001", "2026-03-09T04:00:00Z"}, // midnight is skipped
		{"America/Havana", "2026-11-01T05:10:00Z", "*-*-* 0,1:*:0/0.000001", "2026-11-01T06:00:00Z"},
		{"Pacific/Apia", "2011-12-30T09:59:59Z", "*-12-30 *:*:0/0.000001", "2012-12-29T10:00:00Z"}, // a day is skipped
	} {
		local, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		e, err := Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if next, ok := e.Next(at, local); !ok || next.UTC().Format(time.RFC3339Nano) != c.want {
			t.Errorf("%s in %s at %s: got %s, want %s", c.text, c.zone, c.at, next.UTC().Format(time.RFC3339Nano), c.want)
		}
	}
}

// FuzzParse: whatever is accepted comes after the moment that it is asked for,
// and soon ends.
func FuzzParse(f *testing.F) {
	for line := range strings.Lines(facts) {
		f.Add(strings.Split(line, "|")[2], int64(1_800_000_000))
	}
	f.Add("Mon..Sun 0..23/1:0..59/1:0/0.000001", int64(-1))
	f.Add("*-*-* 2:*:0/0.000001 Europe/Berlin", int64(1_774_744_200)) // hour 2 is skipped that day
	f.Add("*:*:0/0.000001 Europe/Berlin", int64(1_792_890_600))       // and repeated that day
	f.Fuzz(func(t *testing.T, text string, at int64) {
		e, err := Parse(text)
		if err != nil {
			return
		}
		from := time.Unix(at%(1<<34), 0)
		if next, ok := e.Next(from, time.UTC); ok && !next.After(from) {
			t.Errorf("%q: %s is not after %s", text, next, from)
		}
	})
}
