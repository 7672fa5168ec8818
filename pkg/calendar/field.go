package calendar

import "time"

// field is one part of an event, a list of steps; an empty one holds any value.
type field []step

// step is "start", "start..stop", "start/repeat" or "start..stop/repeat". A
// range without repetition has a repeat of one unit. stop is -1 for none.
type step struct{ start, stop, repeat int }

// next is the smallest value of the field that is at least v.
func (f field) next(v, last int) (int, bool) {
	if len(f) == 0 {
		return v, v <= last
	}
	best := last + 1
	for _, s := range f {
		end := last
		if s.stop >= 0 {
			end = min(last, s.stop)
		}
		at := s.start
		if at < v && s.repeat > 0 {
			at += (v - at + s.repeat - 1) / s.repeat * s.repeat
		}
		if at >= v && at <= end {
			best = min(best, at)
		}
	}
	return best, best <= last
}

func (f field) has(v int) bool {
	at, ok := f.next(v, v)
	return ok && at == v
}

type date struct{ year, month, day int }

func dateOf(t time.Time) date {
	y, m, d := t.Date()
	return date{y, int(m), d}
}

func (d date) lastOfMonth() int {
	return time.Date(d.year, time.Month(d.month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func (d date) nextDay() date {
	if d.day < d.lastOfMonth() {
		return date{d.year, d.month, d.day + 1}
	}
	return d.nextMonth()
}

func (d date) nextMonth() date {
	if d.month < 12 {
		return date{d.year, d.month + 1, 1}
	}
	return date{d.year + 1, 1, 1}
}

const microsPerMinute = 60_000_000

type timeOfDay struct{ hour, minute, micros int }

func clockOf(t time.Time) timeOfDay {
	return timeOfDay{t.Hour(), t.Minute(), t.Second()*1_000_000 + t.Nanosecond()/1000}
}

// wall is what a clock on the wall shows, as a time of UTC, which no change of
// the clock disturbs.
func wall(d date, c timeOfDay) time.Time {
	return time.Date(d.year, time.Month(d.month), d.day, c.hour, c.minute, 0, 0, time.UTC).Add(time.Duration(c.micros) * time.Microsecond)
}

func wallOf(t time.Time) time.Time { return wall(dateOf(t), clockOf(t)) }
