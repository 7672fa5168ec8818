// Package calendar reads the calendar events of systemd.time(7), as a timer's
// OnCalendar= has them, and says when they come next.
package calendar

import (
	"time"
)

// Event is a parsed calendar event.
type Event struct {
	weekdays                       [7]bool // by time.Weekday; none set: any day
	year, month, day, hour, minute field
	micros                         field // of the minute
	fromEnd                        bool  // day counts back from the month's last, "~"
	zone                           *time.Location
	anyWeekday, oneMoment          bool
	moment                         time.Time
}

// lastYear is where systemd ends its search too.
const lastYear = 2199

// Next is the first moment of the event after t, in the event's own time zone
// where it names one, else in local. ok is false where it never comes again.
// What a change of the clock leaves out does not come on that day.
func (e *Event) Next(t time.Time, local *time.Location) (next time.Time, ok bool) {
	if e.oneMoment {
		return e.moment, e.moment.After(t)
	}
	if e.zone != nil {
		local = e.zone
	}
	t = t.In(local).Truncate(time.Microsecond)
	clock := clockOf(t)
	clock.micros++
	for d := dateOf(t); d.year <= lastYear; {
		if !e.year.has(d.year) {
			y, any := e.year.next(d.year, lastYear)
			if !any {
				return t, false
			}
			d, clock = date{y, 1, 1}, timeOfDay{}
		}
		if !e.month.has(d.month) {
			d, clock = d.nextMonth(), timeOfDay{}
			continue
		}
		if e.onDay(d) {
			if next, ok := e.onDate(d, clock, t, local); ok {
				return next, true
			}
		}
		d, clock = d.nextDay(), timeOfDay{}
	}
	return t, false
}

// triesPerDay bounds the changes of the clock within one day: a node may send a
// zone with any number of them.
const triesPerDay = 100

// onDate is the first moment of the event on one day, at or after a time of it.
func (e *Event) onDate(d date, c timeOfDay, after time.Time, local *time.Location) (time.Time, bool) {
	for range triesPerDay {
		var ok bool
		if c, ok = e.onClock(c); !ok {
			return after, false
		}
		next := time.Date(d.year, time.Month(d.month), d.day, c.hour, c.minute, 0, 0, local).Add(time.Duration(c.micros) * time.Microsecond)
		next = firstOfTwo(next)
		// In the hour that summer time skips there is no such time.
		if wallOf(next).Equal(wall(d, c)) && next.After(after) {
			return next, true
		}
		if c, ok = beyondChange(d, c, next); !ok {
			return after, false
		}
	}
	return after, false
}

// beyondChange goes on behind the hour that a change of the clock skips, or that
// it repeats and whose first time was before: an event may come 3,600,000,000
// times in it. c is a time of such an hour, and next what it was taken for. ok
// is false where the day is over.
func beyondChange(d date, c timeOfDay, next time.Time) (beyond timeOfDay, ok bool) {
	start, end := next.ZoneBounds()
	wanted, got := wall(d, c), wallOf(next)
	var to time.Time
	switch {
	case got.After(wanted): // taken for one behind what is skipped
		to = wallOf(start)
	case got.Before(wanted):
		to = wallOf(end)
	default: // the first of two
		to = wallOf(end.Add(-time.Microsecond)).Add(time.Microsecond)
	}
	if !to.After(wanted) { // no change of the clock explains it
		to = wanted.Add(time.Microsecond)
	}
	return clockOf(to), dateOf(to) == d
}

// onClock is the first time of day of the event at or after c.
func (e *Event) onClock(c timeOfDay) (timeOfDay, bool) {
	for {
		hour, ok := e.hour.next(c.hour, 23)
		if !ok {
			return c, false
		}
		if hour > c.hour {
			c = timeOfDay{hour: hour}
		}
		minute, ok := e.minute.next(c.minute, 59)
		if !ok {
			c = timeOfDay{hour: c.hour + 1}
			continue
		}
		if minute > c.minute {
			c = timeOfDay{hour: c.hour, minute: minute}
		}
		micros, ok := e.micros.next(c.micros, microsPerMinute-1)
		if ok {
			c.micros = micros
			return c, true
		}
		c = timeOfDay{hour: c.hour, minute: c.minute + 1}
	}
}

func (e *Event) onDay(d date) bool {
	weekday := time.Date(d.year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC).Weekday()
	if !e.anyWeekday && !e.weekdays[weekday] {
		return false
	}
	if !e.fromEnd {
		return e.day.has(d.day)
	}
	last := d.lastOfMonth()
	for _, s := range e.day {
		// "~7/1": from the seventh last day on, forwards. "~1..5": the last five.
		from, to := last-s.start+1, last-s.start+1
		switch {
		case s.stop >= 0:
			from = last - s.stop + 1
		case s.repeat > 0:
			to = last
		}
		if d.day >= from && d.day <= to && (s.repeat == 0 || (d.day-from)%s.repeat == 0) {
			return true
		}
	}
	return len(e.day) == 0
}

// firstOfTwo is the first moment with the local time of t, where the end of
// summer time repeats it.
func firstOfTwo(t time.Time) time.Time {
	_, before := t.Add(-24 * time.Hour).Zone()
	_, now := t.Zone()
	earlier := t.Add(time.Duration(now-before) * time.Second)
	if earlier.Before(t) && clockOf(earlier) == clockOf(t) {
		return earlier
	}
	return t
}
