package calendar

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a client on Windows has no time zones of its own
)

var errForm = errors.New("not of the form [WEEKDAYS] [YEAR-MONTH-DAY] [HOUR:MINUTE[:SECOND]] [TIMEZONE]")

// maxLength bounds an expression in bytes.
const maxLength = 1000

// Parse reads a calendar event.
//
//	Mon..Fri,Sun *-1..3,12-1/7 9..17/2:00:30 Europe/Berlin   Sat *-*~07/1   daily UTC   @1700000000
func Parse(text string) (*Event, error) {
	e, err := parse(strings.Fields(text))
	if err != nil {
		return nil, fmt.Errorf("%q is no calendar event: %w", text[:min(len(text), maxLength)], err)
	}
	return e, nil
}

func parse(words []string) (*Event, error) {
	if len(words) == 0 || len(strings.Join(words, " ")) > maxLength {
		return nil, errForm
	}
	if seconds, isMoment := strings.CutPrefix(words[0], "@"); isMoment {
		return parseMoment(seconds, words[1:])
	}
	e := &Event{anyWeekday: true}
	if last := len(words) - 1; last > 0 && isZone(words[last]) {
		zone, err := time.LoadLocation(words[last])
		if err != nil {
			return nil, err
		}
		e.zone, words = zone, words[:last]
	}
	if long := shorthand(words[0]); long != "" && len(words) == 1 {
		words = strings.Fields(long)
	}
	if letter(words[0][0]) {
		if err := e.parseWeekdays(words[0]); err != nil {
			return nil, err
		}
		words = words[1:]
	}
	return e, e.parseDateAndTime(words)
}

func parseMoment(seconds string, rest []string) (*Event, error) {
	s, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || s < 0 || s > 1<<40 || len(rest) > 0 {
		return nil, errForm
	}
	return &Event{oneMoment: true, moment: time.Unix(s, 0).UTC()}, nil
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// isZone: a last word of letters is a time zone, unless it is a weekday's.
func isZone(word string) bool {
	if !letter(word[0]) || strings.EqualFold(word, "local") {
		return false
	}
	var e Event
	return e.parseWeekdays(word) != nil
}

// shorthand are the names of systemd.time(7), in full.
func shorthand(word string) string {
	switch strings.ToLower(word) {
	case "minutely":
		return "*-*-* *:*:00"
	case "hourly":
		return "*-*-* *:00:00"
	case "daily":
		return "*-*-* 00:00:00"
	case "weekly":
		return "Mon *-*-* 00:00:00"
	case "monthly":
		return "*-*-01 00:00:00"
	case "quarterly":
		return "*-01,04,07,10-01 00:00:00"
	case "semiannually", "semi-annually", "biannually", "bi-annually":
		return "*-01,07-01 00:00:00"
	case "yearly", "annually", "anually":
		return "*-01-01 00:00:00"
	}
	return ""
}

func weekdayNames() []string {
	return []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
}

// parseWeekdays: "Mon", "monday", "Mon,Wed..Fri", formerly "Mon-Fri"; a range
// does not pass Sunday.
func (e *Event) parseWeekdays(word string) error {
	for item := range strings.SplitSeq(strings.TrimSuffix(word, ","), ",") {
		from, to, isRange := strings.Cut(item, "..")
		if !isRange {
			from, to, isRange = strings.Cut(item, "-")
		}
		if !isRange {
			to = from
		}
		first, last := weekday(from), weekday(to)
		if first < 0 || last < first {
			return errForm
		}
		for i := first; i <= last; i++ {
			e.weekdays[(i+1)%7] = true
		}
	}
	e.anyWeekday = false
	return nil
}

// weekday counts from Monday; -1 for none.
func weekday(name string) int {
	return slices.IndexFunc(weekdayNames(), func(full string) bool {
		return strings.EqualFold(name, full) || strings.EqualFold(name, full[:3])
	})
}

func (e *Event) parseDateAndTime(words []string) error {
	if len(words) > 0 && strings.ContainsAny(words[0], "-~") {
		if err := e.parseDate(words[0]); err != nil {
			return err
		}
		words = words[1:]
	}
	switch len(words) {
	case 0:
		words = []string{"0:0"}
	case 1:
	default:
		return errForm
	}
	return e.parseTime(words[0])
}
