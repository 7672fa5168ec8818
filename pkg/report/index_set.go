package report

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// IndexSet is a set of indices as text, ascending: "0-6384,6390". A node with
// thousands of volumes in thirty namespaces says so in a few bytes.
type IndexSet string

var errIndexSet = errors.New("an index set must be ascending ranges, like 0-3,7")

// NewIndexSet packs indices, which it sorts.
func NewIndexSet(indices []int) IndexSet {
	slices.Sort(indices)
	indices = slices.Compact(indices)
	var b strings.Builder
	for i := 0; i < len(indices); {
		end := i
		for end+1 < len(indices) && indices[end+1] == indices[end]+1 {
			end++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(indices[i]))
		if end > i {
			b.WriteString("-" + strconv.Itoa(indices[end]))
		}
		i = end + 1
	}
	return IndexSet(b.String())
}

// Indices unpacks the set. It fails at what is not ascending or not below n:
// nobody vouches for a report.
func (s IndexSet) Indices(n int) ([]int, error) {
	var indices []int
	if s == "" {
		return nil, nil
	}
	next := 0
	for part := range strings.SplitSeq(string(s), ",") {
		low, high, isRange := strings.Cut(part, "-")
		first, err := strconv.Atoi(low)
		last, errLast := strconv.Atoi(cmp.Or(high, low))
		if err != nil || errLast != nil || isRange && high == "" || first < next || last < first || last >= n {
			return nil, errIndexSet
		}
		for i := first; i <= last; i++ {
			indices = append(indices, i)
		}
		next = last + 1
	}
	return indices, nil
}
