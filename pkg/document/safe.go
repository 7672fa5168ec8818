package document

import (
	"math"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// maxCell bounds a cell in bytes: a volume may have a thousand paths.
const maxCell = 4000

// safe is text without controls, bidirectional marks and bytes that are no UTF-8,
// whoever wrote it; what is more than a person reads is cut.
func safe(text string) string { return shorten(report.Clean(text), maxCell) }

// shorten cuts between two characters.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	cut := 0
	for i := range text {
		if i > most-len("…") {
			break
		}
		cut = i
	}
	return text[:cut] + "…"
}

// finite keeps what cannot be drawn out of a plot.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
