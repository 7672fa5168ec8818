package document

import (
	"strconv"
	"strings"
	"time"
)

// Amount is the value of what a person reads as a number, for sorting:
//
//	1,234   ~64   12.5%   1.2 GiB   +3.0 MiB/s   -0.3/s   4m12s   3d ago   ≥ 1.2s   95% of 1,024   <1% of 9
//
// ok is false where the text begins with no number.
func Amount(text string) (value float64, ok bool) {
	text = strings.TrimLeft(text, "~≥<> ")
	end := 0
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || strings.IndexByte("+-.,", text[end]) >= 0) {
		end++
	}
	value, err := strconv.ParseFloat(strings.ReplaceAll(text[:end], ",", ""), 64)
	if err != nil {
		return 0, false
	}
	rest := strings.TrimPrefix(text[end:], " ")
	if d, ok := span(text); ok {
		return d, true
	}
	for _, u := range []struct {
		unit   string
		factor float64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"PiB", 1 << 50}, {"EiB", 1 << 60}} {
		if strings.HasPrefix(rest, u.unit) {
			return value * u.factor, true
		}
	}
	return value, true
}

// span is a time as HumanDuration of apimachinery writes it, in seconds: 3d4h, 2y10d.
func span(text string) (float64, bool) {
	word, _, _ := strings.Cut(text, " ")
	sum, digits := 0.0, ""
	for i := 0; i < len(word); i++ {
		c := word[i]
		if c >= '0' && c <= '9' || c == '.' || c == '-' && i == 0 {
			digits += string(c)
			continue
		}
		n, err := strconv.ParseFloat(digits, 64)
		factor := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'y': 365 * 24 * time.Hour}[c]
		if err != nil || factor == 0 {
			return 0, false
		}
		sum, digits = sum+n*factor.Seconds(), ""
	}
	return sum, digits == "" && word != ""
}
