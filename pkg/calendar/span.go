package calendar

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Forever is the span "infinity".
const Forever = time.Duration(math.MaxInt64)

// longest is what a Duration can hold, in seconds, and a little less.
const longest = 9e9

var errSpan = errors.New("not a time span as \"1h 30min\"")

// ParseSpan reads a time span of systemd.time(7): numbers with units, added up;
// a number alone is seconds.
//
//	5min 20s   1h30min   12h   90   infinity
func ParseSpan(text string) (time.Duration, error) {
	rest := strings.TrimSpace(text)
	if rest == "infinity" {
		return Forever, nil
	}
	total := 0.0
	for first := true; rest != "" || first; first = false {
		digits := strings.IndexFunc(rest+" ", func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		number, err := strconv.ParseFloat(rest[:digits], 64)
		if err != nil {
			return 0, fmt.Errorf("%q: %w", text[:min(len(text), maxLength)], errSpan)
		}
		rest = strings.TrimLeft(rest[digits:], " \t")
		letters := strings.IndexFunc(rest+" ", func(r rune) bool { return r <= ' ' || r >= '0' && r <= '9' })
		unit := unitSeconds(rest[:letters])
		if total += number * unit; unit == 0 || total > longest {
			return 0, fmt.Errorf("%q: %w", text[:min(len(text), maxLength)], errSpan)
		}
		rest = strings.TrimLeft(rest[letters:], " \t")
	}
	return time.Duration(total * float64(time.Second)), nil
}

// unitSeconds: a year is 365.25 days and a month its twelfth; 0 for no unit.
func unitSeconds(name string) float64 {
	const day = 24 * 3600
	switch name {
	case "usec", "us", "µs", "μs":
		return 1e-6
	case "msec", "ms":
		return 1e-3
	case "", "seconds", "second", "sec", "s":
		return 1
	case "minutes", "minute", "min", "m":
		return 60
	case "hours", "hour", "hr", "h":
		return 3600
	case "days", "day", "d":
		return day
	case "weeks", "week", "w":
		return 7 * day
	case "months", "month", "M":
		return 365.25 * day / 12
	case "years", "year", "y":
		return 365.25 * day
	}
	return 0
}
