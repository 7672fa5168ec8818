package document

import (
	"fmt"
	"strings"
	"time"
)

// A chart is drawn in a box of these units, which the browser stretches to its width.
const chartWidth, chartHeight = 1000.0, 240.0

type chartView struct {
	Width, Height    float64
	Lines            []lineView
	Marks            []markView
	Limit            string // its height in the box, "" for none
	LimitText        string
	Top, Begin, End  string
	Legend, HasMarks bool
}

type lineView struct {
	Name  string
	Class string
	Path  string
	Last  string // its greatest value, for a person
}

type markView struct{ X, Name string }

// scale puts moments and values into the box.
type scale struct {
	from, to time.Time
	most     float64
}

func (s scale) x(t time.Time) float64 {
	if span := s.to.Sub(s.from); span > 0 {
		return float64(t.Sub(s.from)) / float64(span) * chartWidth
	}
	return 0
}

func (s scale) y(v float64) float64 { return chartHeight - min(v/s.most, 1)*chartHeight }

// scaleOf spans all points. A limit is drawn where the values come near to it: one far
// above would press them flat.
func scaleOf(c Chart) (s scale, limit bool) {
	for _, line := range c.Series {
		for _, p := range line.Points {
			if !finite(p.Value) {
				continue
			}
			if s.from.IsZero() || p.At.Before(s.from) {
				s.from = p.At
			}
			if p.At.After(s.to) {
				s.to = p.At
			}
			s.most = max(s.most, p.Value)
		}
	}
	limit = c.Max > 0 && finite(c.Max) && c.Max < 3*s.most
	if limit {
		s.most = max(s.most, c.Max)
	}
	s.most *= 1.05
	return s, limit
}

// viewChart is nil where there is nothing to draw.
func viewChart(c Chart) *chartView {
	s, limit := scaleOf(c)
	if s.most <= 0 || !s.to.After(s.from) {
		return nil
	}
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	span := s.to.Sub(s.from)
	v := &chartView{Width: chartWidth, Height: chartHeight, Top: value(s.most/1.05, c.Unit), Begin: clock(s.from, span, c.Zone), End: clock(s.to, span, c.Zone) + " " + s.to.In(c.Zone).Format("MST"),
		Legend: len(c.Series) > 1}
	if limit {
		v.Limit, v.LimitText = fmt.Sprintf("%.1f", s.y(c.Max)), value(c.Max, c.Unit)
	}
	for i, line := range c.Series {
		l := lineView{Name: safe(line.Name), Class: fmt.Sprintf("l%d", i%6), Path: s.path(line.Points)}
		most := 0.0
		for _, p := range line.Points {
			if finite(p.Value) {
				most = max(most, p.Value)
			}
		}
		l.Last = value(most, c.Unit)
		v.Lines = append(v.Lines, l)
	}
	for _, m := range c.Marks {
		if !m.At.Before(s.from) && !m.At.After(s.to) {
			v.Marks = append(v.Marks, markView{X: fmt.Sprintf("%.1f", s.x(m.At)), Name: safe(m.Name) + " " + clock(m.At, span, c.Zone)})
		}
	}
	v.HasMarks = len(v.Marks) > 0
	return v
}

// path is the line as SVG has it: M moves, L draws.
func (s scale) path(points []Point) string {
	var b strings.Builder
	draw := false
	for _, p := range points {
		if !finite(p.Value) {
			draw = false
			continue
		}
		command := "L"
		if !draw || p.Gap {
			command = "M"
		}
		draw = true
		fmt.Fprintf(&b, "%s%.1f %.1f", command, s.x(p.At), s.y(p.Value))
	}
	return b.String()
}

// value of an axis, short.
func value(v float64, unit string) string {
	if unit != "bytes" {
		return grouped(int64(v + 0.5))
	}
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i := 0
	for v >= 1000 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	if v >= 99.95 || i == 0 {
		return fmt.Sprintf("%.0f %s", v, units[i])
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}

func grouped(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
