package report

import (
	"slices"
	"testing"
)

func TestIndexSet(t *testing.T) {
	for want, indices := range map[IndexSet][]int{
		"":            nil,
		"0":           {0},
		"0-2":         {2, 0, 1},
		"0,2-3,9":     {9, 3, 2, 0, 2},
		"7,9,11-12":   {7, 9, 11, 12},
		"299999":      {299_999},
		"0-1,299-300": {0, 1, 299, 300},
	} {
		got := NewIndexSet(slices.Clone(indices))
		if got != want {
			t.Errorf("%v: got %q, want %q", indices, got, want)
		}
		back, err := got.Indices(300_000)
		slices.Sort(indices)
		if indices = slices.Compact(indices); err != nil || !slices.Equal(back, indices) {
			t.Errorf("%q: got back %v, %v, want %v", got, back, err, indices)
		}
	}
}

func TestIndexSetOfAHostileNode(t *testing.T) {
	for _, s := range []IndexSet{"3", "0-3", "1,0", "0,0", "0-1,1", "2-1", "a", "0-", "-1", ",", "0,", "0-99999999999999999999", "1-1000000000"} {
		if got, err := s.Indices(3); err == nil {
			t.Errorf("%q: got %v, want an error", s, got)
		}
	}
}

func FuzzIndexSet(f *testing.F) {
	f.Add("0-2,7")
	f.Add("5-")
	f.Fuzz(func(t *testing.T, s string) {
		indices, err := IndexSet(s).Indices(1000)
		if err != nil {
			return
		}
		if len(indices) > 1000 || !slices.IsSorted(indices) {
			t.Fatalf("%q: %v", s, indices)
		}
		again, err := NewIndexSet(slices.Clone(indices)).Indices(1000)
		if err != nil || !slices.Equal(again, indices) {
			t.Fatalf("%q: %v, then %v, %v", s, indices, again, err)
		}
	})
}
