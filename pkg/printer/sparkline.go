package printer

import "strings"

// sparkline draws values as blocks between 0 and most; a negative one is a time of
// which nothing is known.
func sparkline(values []float64, most float64) string {
	blocks := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, v := range values {
		switch {
		case v < 0:
			b.WriteRune('·')
		case most <= 0 || v == 0:
			b.WriteRune(blocks[0])
		default:
			b.WriteRune(blocks[min(len(blocks)-1, int(v/most*float64(len(blocks))))])
		}
	}
	return b.String()
}
