package printer

import (
	"fmt"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// Names of totals that the wide table has columns for.
const (
	TotalOpenFiles = "open files"
	TotalThreads   = "threads"
	TotalMemory    = "memory used"
)

// totalsText is a node's figures in a line.
func totalsText(totals []Total) string {
	texts := make([]string, 0, len(totals))
	for _, t := range totals {
		text := t.Name + " " + t.amount(t.Value)
		if t.Max > 0 {
			text += " of " + t.amount(t.Max) + " (" + t.percent() + ")"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

// totalsShort is for a cell: shares where there is a limit.
func totalsShort(totals []Total) string {
	texts := make([]string, 0, len(totals))
	for _, t := range totals {
		if t.Max > 0 {
			texts = append(texts, t.Name+" "+t.percent())
		} else {
			texts = append(texts, t.Name+" "+t.amount(t.Value))
		}
	}
	return strings.Join(texts, ", ")
}

func (t Total) amount(n uint64) string {
	if t.Unit == "bytes" {
		return correlate.Size(n)
	}
	return commaU(n)
}

func (t Total) percent() string { return fmt.Sprintf("%.0f %%", 100*float64(t.Value)/float64(t.Max)) }

// totalPercent is a cell; "" where there is no such total, or it has no limit.
func totalPercent(totals []Total, name string) string {
	for _, t := range totals {
		if t.Name == name && t.Max > 0 {
			return strings.ReplaceAll(t.percent(), " ", "")
		}
	}
	return ""
}
