package hostfs

import "sort"

// JournalEntry is one message, with the data objects that it consists of.
type JournalEntry struct {
	At    uint64 // microseconds since 1970, by the node's clock
	Items []uint64
}

// Entry reads an entry.
func (j *Journal) Entry(at uint64) (e JournalEntry, err error) {
	const head = 64
	each := 2 * j.itemBytes() // an offset, and its hash
	if j.compact {
		each = j.itemBytes()
	}
	b, _, err := j.object(at, objectEntry, head, head+journalItems*int(each))
	if err != nil {
		return e, err
	}
	e.At = le64(b, 24)
	for b = b[head:]; uint64(len(b)) >= each; b = b[each:] {
		e.Items = append(e.Items, j.item(b))
	}
	return e, nil
}

// entryTime is an entry's time alone.
func (j *Journal) entryTime(at uint64) (uint64, error) {
	b, _, err := j.object(at, objectEntry, 64, 64)
	if err != nil {
		return 0, err
	}
	return le64(b, 24), nil
}

// JournalList are the entries that have a data object, the oldest first.
type JournalList struct {
	j      *Journal
	first  uint64
	arrays []entryArray
	// Len is how many there are.
	Len int
}

type entryArray struct {
	at   uint64 // of its first item
	from int    // its first item's number
}

// Entries lists those of a data object: the first stands in it, the others in a chain
// of arrays, of which the last may have room left.
func (j *Journal) Entries(d JournalData) (JournalList, error) {
	const head = 24
	l := JournalList{j: j, first: d.first}
	if d.N == 0 || d.first == 0 {
		return l, nil
	}
	l.Len = 1
	for at := d.array; at != 0 && uint64(l.Len) < d.N; {
		b, size, err := j.object(at, objectEntryArray, head, head)
		if err != nil {
			return l, err
		}
		if len(l.arrays) == journalArrays {
			return l, errBadObject
		}
		l.arrays = append(l.arrays, entryArray{at + head, l.Len})
		l.Len = int(min(uint64(l.Len)+(size-head)/j.itemBytes(), d.N))
		at = le64(b, 16)
	}
	return l, nil
}

// At is the offset of an entry by its number.
func (l JournalList) At(i int) (uint64, error) {
	if i == 0 {
		return l.first, nil
	}
	n := sort.Search(len(l.arrays), func(n int) bool { return l.arrays[n].from > i }) - 1
	b := make([]byte, l.j.itemBytes())
	if _, err := l.j.r.ReadAt(b, int64(l.arrays[n].at+uint64(i-l.arrays[n].from)*l.j.itemBytes())); err != nil {
		return 0, err
	}
	return l.j.item(b), nil
}

// Since is the number of the first entry at or after a time. Entries are in the order
// of their coming: where somebody has set the clock back, some are left out.
func (l JournalList) Since(micros uint64) (int, error) {
	var failed error
	i := sort.Search(l.Len, func(i int) bool {
		at, err := l.At(i)
		if err == nil {
			at, err = l.j.entryTime(at)
		}
		if err != nil {
			failed = err
		}
		return err != nil || at >= micros
	})
	return i, failed
}
