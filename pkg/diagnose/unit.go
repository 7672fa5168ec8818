package diagnose

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/calendar"
	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// Unit is what a threshold counts in.
type Unit string

// Units.
const (
	Percent   Unit = "percent"
	Count     Unit = "count"
	Bytes     Unit = "bytes"
	Seconds   Unit = "seconds"
	PerSecond Unit = "per second"
)

// Format writes a value as Parse reads it: "80%", "500", "256MiB", "6h", "0.5/s".
func (u Unit) Format(value float64) string {
	number := strconv.FormatFloat(value, 'f', -1, 64)
	switch u {
	case Percent:
		return number + "%"
	case Bytes:
		return formatBytes(uint64(value))
	case Seconds:
		return formatSeconds(value)
	case PerSecond:
		return number + "/s"
	}
	return number
}

// Text is a value in a sentence: "80 %", "500", "256 MiB", "6 hours", "0.5 per second".
func (u Unit) Text(value float64) string {
	number := humanize.Commaf(value)
	switch u {
	case Percent:
		return number + " %"
	case Bytes:
		return correlate.Size(uint64(value))
	case Seconds:
		return secondsText(value)
	case PerSecond:
		return number + " per second"
	}
	return number
}

func secondsText(seconds float64) string {
	for _, unit := range []struct {
		seconds float64
		name    string
	}{{24 * 3600, "day"}, {3600, "hour"}, {60, "minute"}} {
		if seconds >= unit.seconds && math.Mod(seconds, unit.seconds) == 0 {
			return english.Plural(int(seconds/unit.seconds), unit.name, "")
		}
	}
	if seconds == 1 {
		return "1 second"
	}
	return humanize.Commaf(seconds) + " seconds"
}

// formatBytes has the largest unit that leaves a whole number.
func formatBytes(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	unit := 0
	for n != 0 && n%1024 == 0 && unit < len(units)-1 {
		n /= 1024
		unit++
	}
	return strconv.FormatUint(n, 10) + units[unit]
}

func formatSeconds(seconds float64) string {
	d := time.Duration(math.Round(seconds * float64(time.Second)))
	const day = 24 * time.Hour
	switch {
	case d >= day && d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

// Parse reads a value. Of a percentage and a rate the sign may be missing, of a time
// the unit may not: nobody could tell whether 5 are seconds or hours.
func (u Unit) Parse(text string) (float64, error) {
	text = strings.TrimSpace(text)
	value, err := u.parse(text)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, fmt.Errorf("%q is no %s, such as %s", text, u.what(), u.Format(u.example()))
	}
	return value, nil
}

var errUnit = errors.New("without its unit")

func (u Unit) parse(text string) (float64, error) {
	switch u {
	case Percent:
		return strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
	case Bytes:
		n, err := humanize.ParseBytes(text)
		return float64(n), err
	case Seconds:
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return 0, errUnit
		}
		d, err := calendar.ParseSpan(text)
		return d.Seconds(), err
	case PerSecond:
		return strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "/s")), 64)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return float64(n), err
}

func (u Unit) what() string {
	switch u {
	case Percent:
		return "percentage"
	case Bytes:
		return "size"
	case Seconds:
		return "time with its unit"
	case PerSecond:
		return "rate"
	}
	return "whole number"
}

func (u Unit) example() float64 {
	switch u {
	case Percent:
		return 80
	case Bytes:
		return 256 << 20
	case Seconds:
		return 6 * 3600
	case PerSecond:
		return 0.5
	}
	return 500
}
