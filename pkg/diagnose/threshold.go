package diagnose

import (
	"fmt"
	"maps"
	"math"
	"time"
)

// Threshold is a number at which a rule answers otherwise, and which an operator may
// want to change.
type Threshold struct {
	// Name is the rule's ID and what is bounded: "fd-node-limit.warning".
	Name string `json:"name"`
	Unit Unit   `json:"unit"`
	// Default, and what it may be set to, in Unit.
	Default float64 `json:"default"`
	Min     float64 `json:"min"`
	Max     float64 `json:"max"`
	// UpTo names another of its rule, which it may not be above: a warning comes no later
	// than the critical finding. Empty: none.
	UpTo string `json:"upTo,omitempty"`
	// Means is what happens at it.
	Means string `json:"means"`
}

func (t Threshold) upTo(other Threshold) Threshold {
	t.UpTo = other.Name
	return t
}

// Bounds is what it may be set to: "1% to 100%".
func (t Threshold) Bounds() string { return t.Unit.Format(t.Min) + " to " + t.Unit.Format(t.Max) }

// parse reads a value that it may have.
func (t Threshold) parse(text string) (float64, error) {
	value, err := t.Unit.Parse(text)
	if t.Unit == Seconds { // a year in nanoseconds is more than a float64 tells apart
		value = math.Round(value*1e6) / 1e6
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("threshold %s: %w", t.Name, err)
	case value < t.Min || value > t.Max:
		return 0, fmt.Errorf("threshold %s must be %s, not %s", t.Name, t.Bounds(), t.Unit.Format(value))
	}
	return value, nil
}

// Thresholds are the values in force. The zero value has the defaults.
type Thresholds struct {
	changed map[string]float64 // by name; those that are not the default
}

// In is a threshold's value in force.
func (t Thresholds) In(of Threshold) float64 {
	if value, ok := t.changed[of.Name]; ok {
		return value
	}
	return of.Default
}

// Changed says whether a threshold's value is not its default.
func (t Thresholds) Changed(of Threshold) bool {
	_, ok := t.changed[of.Name]
	return ok
}

// With are the same thresholds but for one, of which text is the value.
func (t Thresholds) With(name, text string) (Thresholds, error) {
	of, err := findThreshold(name)
	if err != nil {
		return t, err
	}
	value, err := of.parse(text)
	if err != nil {
		return t, err
	}
	changed := maps.Clone(t.changed)
	if changed == nil {
		changed = map[string]float64{}
	}
	if changed[name] = value; value == of.Default {
		delete(changed, name)
	}
	return Thresholds{changed}, nil
}

// Check tells of one that is above the other that it goes up to. With cannot: both may
// be about to change.
func (t Thresholds) Check() error {
	all := AllThresholds()
	for _, of := range all {
		for _, other := range all {
			value, most := t.In(of), t.In(other)
			if of.UpTo == other.Name && value > most {
				return fmt.Errorf("threshold %s must be %s to %s, not %s: %s is %s, and may be %s to %s", of.Name, of.Unit.Format(of.Min), of.Unit.Format(most),
					of.Unit.Format(value), other.Name, other.Unit.Format(most), other.Unit.Format(value), other.Unit.Format(other.Max))
			}
		}
	}
	return nil
}

func (t Thresholds) count(of Threshold) int    { return int(t.In(of)) }
func (t Thresholds) bytes(of Threshold) uint64 { return uint64(t.In(of)) }
func (t Thresholds) duration(of Threshold) time.Duration {
	return time.Duration(t.In(of) * float64(time.Second))
}

// AllThresholds are those of all rules, in the rules' order.
func AllThresholds() []Threshold {
	var all []Threshold
	for _, r := range Rules() {
		all = append(all, r.Thresholds...)
	}
	return all
}

// Of any limit. At a limit things fail at once and for everybody who needs one
// more; a fifth of it is what a busy hour takes.
const limitWarning, limitCritical = 80.0, 95.0

func warningAt(rule, of string) Threshold {
	return percent(rule, "warning", limitWarning, of+": a finding")
}

func criticalAt(rule, of string) Threshold {
	return percent(rule, "critical", limitCritical, of+": critical")
}

func percent(rule, name string, byDefault float64, means string) Threshold {
	return Threshold{Name: rule + "." + name, Unit: Percent, Default: byDefault, Min: 1, Max: 100, Means: means}
}

func atLeast(rule, name string, byDefault int, means string) Threshold {
	return Threshold{Name: rule + "." + name, Unit: Count, Default: float64(byDefault), Min: 1, Max: 1e9, Means: means}
}

func ofBytes(rule, name string, byDefault uint64, means string) Threshold {
	return Threshold{Name: rule + "." + name, Unit: Bytes, Default: float64(byDefault), Min: 1 << 20, Max: 1 << 50, Means: means}
}

func span(rule, name string, byDefault time.Duration, means string) Threshold {
	return Threshold{Name: rule + "." + name, Unit: Seconds, Default: byDefault.Seconds(), Min: 1, Max: (365 * 24 * time.Hour).Seconds(), Means: means}
}
