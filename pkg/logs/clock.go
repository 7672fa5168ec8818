package logs

import "time"

// lastMicro is the end of the year 9998: a node may claim any time, and JSON has none
// after 9999, in whatever zone.
const lastMicro = 253_370_764_800_000_000 - 1

// fromMicros is a time since 1970, no later than that.
func fromMicros(micros int64) time.Time {
	return time.UnixMicro(min(max(micros, 0), lastMicro)).UTC()
}

// sane is the zero time for one that cannot be.
func sane(t time.Time) time.Time {
	if year := t.UTC().Year(); year < 1970 || year > 9998 {
		return time.Time{}
	}
	return t.UTC()
}

// settle gives the lines of a file, the newest first, their times. Those of klog and
// syslog have neither year nor zone: the file was written last when the newest line
// was, which tells both. A line without a time is part of the one before it.
func settle(heads []head, written int64, until time.Time) {
	var shift time.Duration
	known := false
	for i := range heads {
		if h := &heads[i]; h.local && !h.at.IsZero() && written > 0 && written < lastMicro/1_000_000 {
			shift, known = shiftOf(*h, time.Unix(written, 0).UTC()), true
			break
		}
	}
	var last time.Time
	for i := len(heads) - 1; i >= 0; i-- {
		h := &heads[i]
		switch {
		case h.at.IsZero():
			h.at = last
		case h.local && !known:
			h.at = time.Time{}
		case h.local:
			if h.noYear {
				h.at = inYear(h.at, until)
			}
			h.at = h.at.Add(shift)
		}
		h.at = sane(h.at)
		last = h.at
	}
}

// shiftOf is what a zone's clock must be moved by to be UTC: a multiple of 15 minutes.
func shiftOf(h head, written time.Time) time.Duration {
	at := h.at
	if h.noYear {
		at = inYear(at, written)
	}
	return written.Sub(at).Round(15 * time.Minute)
}

// inYear puts a time without a year next to another: a line of December is last year's
// in January.
func inYear(at, near time.Time) time.Time {
	best := at.AddDate(near.Year()-at.Year(), 0, 0)
	for _, year := range []int{near.Year() - 1, near.Year() + 1} {
		other := at.AddDate(year-at.Year(), 0, 0)
		if near.Sub(other).Abs() < near.Sub(best).Abs() {
			best = other
		}
	}
	return best
}
