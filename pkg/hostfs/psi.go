package hostfs

import (
	"bytes"
	"math"
	"strconv"
)

// PSI is /proc/pressure/memory or memory.pressure of a cgroup, since Linux 4.20
// (Documentation/accounting/psi.rst), in percent and microseconds:
//
//	some avg10=0.00 avg60=0.12 avg300=0.05 total=1234
//	full avg10=0.00 avg60=0.10 avg300=0.03 total=1000
type PSI struct{ Some, Full PSILine }

// PSILine is a line of it.
type PSILine struct {
	Avg10, Avg60, Avg300 float64
	TotalMicros          uint64
}

// ParsePSI parses such a file; ok is false where it has no "some". Before 5.13
// that of the CPUs has no "full".
func ParsePSI(b []byte) (p PSI, ok bool) {
	for line := range bytes.Lines(b) {
		f := bytes.Fields(line)
		if len(f) == 0 {
			continue
		}
		switch string(f[0]) {
		case "some":
			p.Some, ok = parsePSILine(f[1:]), true
		case "full":
			p.Full = parsePSILine(f[1:])
		}
	}
	return p, ok
}

func parsePSILine(fields [][]byte) (l PSILine) {
	for _, f := range fields {
		key, value, _ := bytes.Cut(f, []byte{'='})
		switch string(key) {
		case "avg10":
			l.Avg10 = percent(value)
		case "avg60":
			l.Avg60 = percent(value)
		case "avg300":
			l.Avg300 = percent(value)
		case "total":
			l.TotalMicros, _ = ParseNumber(value)
		}
	}
	return l
}

// percent is 0 for what is none: JSON knows neither NaN nor infinity.
func percent(b []byte) float64 {
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.IsNaN(f) || f < 0 || f > 1000 {
		return 0
	}
	return f
}
