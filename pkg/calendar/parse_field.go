package calendar

import (
	"slices"
	"strconv"
	"strings"
)

// parseDate: "YEAR-MONTH-DAY" or "MONTH-DAY", with '~' before a day that counts
// back from the month's end.
func (e *Event) parseDate(word string) error {
	before, day, fromEnd := strings.Cut(word, "~")
	parts := strings.Split(before, "-")
	last := 31
	if fromEnd {
		last = 28 // that many every month has
		parts = append(parts, day)
	}
	var err error
	switch len(parts) {
	case 2:
	case 3:
		if e.year, err = parseField(parts[0], 0, lastYear, 1); err != nil {
			return err
		}
		e.year = fullYears(e.year)
		parts = parts[1:]
	default:
		return errForm
	}
	if e.month, err = parseField(parts[0], 1, 12, 1); err != nil {
		return err
	}
	e.fromEnd = fromEnd
	e.day, err = parseField(parts[1], 1, last, 1)
	if fromEnd && len(e.day) == 0 { // "~*"
		e.fromEnd = false
	}
	return err
}

// fullYears: two digits mean 1970 to 2069.
func fullYears(years field) field {
	full := func(y int) int {
		switch {
		case y >= 0 && y < 70:
			return y + 2000
		case y >= 70 && y < 100:
			return y + 1900
		}
		return y
	}
	for i := range years {
		years[i].start, years[i].stop = full(years[i].start), full(years[i].stop)
	}
	return years
}

// parseTime: "HOUR:MINUTE" or "HOUR:MINUTE:SECOND".
func (e *Event) parseTime(word string) error {
	parts := strings.Split(word, ":")
	if len(parts) == 2 {
		parts = append(parts, "0")
	}
	if len(parts) != 3 {
		return errForm
	}
	var err error
	if e.hour, err = parseField(parts[0], 0, 23, 1); err != nil {
		return err
	}
	if e.minute, err = parseField(parts[1], 0, 59, 1); err != nil {
		return err
	}
	const second = 1_000_000
	if e.micros, err = parseField(parts[2], 0, microsPerMinute-1, second); len(e.micros) == 0 {
		e.micros = field{{0, -1, second}} // "*": every whole second
	}
	return err
}

// maxSteps bounds a list.
const maxSteps = 240

// parseField reads "*" or a list of values in unit.
func parseField(text string, first, last, unit int) (field, error) {
	if text == "*" {
		return nil, nil
	}
	var f field
	for item := range strings.SplitSeq(text, ",") {
		s, ok := parseStep(item, unit)
		if !ok || s.start < first || s.start > last || s.stop > last || len(f) >= maxSteps {
			return nil, errForm
		}
		// A repetition that never comes is a mistake, and refused as systemd does.
		if s.repeat > 0 && s.start+s.repeat > last || s.stop >= 0 && s.start+s.repeat > s.stop {
			return nil, errForm
		}
		f = append(f, s)
	}
	slices.SortFunc(f, func(a, b step) int { return a.start - b.start })
	return f, nil
}

func parseStep(item string, unit int) (step, bool) {
	s := step{stop: -1}
	item, repeat, repeats := strings.Cut(item, "/")
	start, stop, isRange := strings.Cut(item, "..")
	var ok bool
	if s.start, ok = parseNumber(start, unit); !ok {
		return s, false
	}
	if isRange {
		s.repeat = unit
		if s.stop, ok = parseNumber(stop, unit); !ok || s.stop <= s.start {
			return s, false
		}
	}
	if repeats {
		if s.repeat, ok = parseNumber(repeat, unit); !ok || s.repeat == 0 {
			return s, false
		}
	}
	return s, true
}

// parseNumber: digits, and for seconds a fraction, whose digits behind the
// sixth round.
func parseNumber(text string, unit int) (int, bool) {
	whole, fraction, dotted := strings.Cut(text, ".")
	n, err := strconv.ParseUint(whole, 10, 20)
	if err != nil || dotted && (unit == 1 || fraction == "") {
		return 0, false
	}
	value := int(n) * unit
	if dotted {
		for i, c := range []byte(fraction) {
			switch {
			case c < '0' || c > '9':
				return 0, false
			case i < 6:
				unit /= 10
				value += int(c-'0') * unit
			case i == 6 && c >= '5':
				value++
			}
		}
	}
	return value, true
}
