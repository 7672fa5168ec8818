package hostfs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

// journalWriter writes a file as journald does: objects behind each other, hash chains,
// arrays of entries that double in size.
type journalWriter struct {
	b       []byte
	compact bool
	buckets int
	fields  map[string]int
	data    map[string]int
	entries map[int][]int // of each data object
	heads   []int         // of the fields' hash table
}

func newJournalWriter(compact bool, flags uint32) *journalWriter {
	w := &journalWriter{b: make([]byte, 272), compact: compact, buckets: 3, fields: map[string]int{}, data: map[string]int{}, entries: map[int][]int{}}
	copy(w.b, "LPKSHHRH")
	if compact {
		flags |= 16
	}
	binary.LittleEndian.PutUint32(w.b[12:], flags)
	at := w.object(5, 0, make([]byte, 16*w.buckets))
	w.put(120, uint64(at+16))
	w.put(128, uint64(16*w.buckets))
	w.heads = make([]int, w.buckets)
	return w
}

func (w *journalWriter) put(at int, v uint64) { binary.LittleEndian.PutUint64(w.b[at:], v) }

// object appends one, with what stands behind its header.
func (w *journalWriter) object(kind, flags byte, body []byte) int {
	at := len(w.b)
	head := make([]byte, 16)
	head[0], head[1] = kind, flags
	binary.LittleEndian.PutUint64(head[8:], uint64(16+len(body)))
	w.b = append(append(w.b, head...), body...)
	for len(w.b)%8 != 0 {
		w.b = append(w.b, 0)
	}
	return at
}

func (w *journalWriter) field(name string) int {
	at, there := w.fields[name]
	if !there {
		at = w.object(2, 0, append(make([]byte, 24), name...))
		bucket := len(w.fields) % w.buckets
		w.put(at+24, uint64(w.heads[bucket])) // the chain's next
		w.heads[bucket] = at
		w.put(int(le64(w.b, 120))+16*bucket, uint64(at))
		w.fields[name] = at
	}
	return at
}

// datum is the data object of a value, made once.
func (w *journalWriter) datum(name string, value []byte, compression byte) int {
	payload := value
	if compression == 0 {
		payload = append([]byte(name+"="), value...)
	}
	key := string(compression) + name + "=" + string(value)
	at, there := w.data[key]
	if !there {
		field, head := w.field(name), 48
		if w.compact {
			head = 56
		}
		at = w.object(1, compression, append(make([]byte, head), payload...))
		w.put(at+32, le64(w.b, field+32))
		w.put(field+32, uint64(at))
		w.data[key] = at
	}
	return at
}

// entry appends a message of data objects.
func (w *journalWriter) entry(micros uint64, data ...int) int {
	body := make([]byte, 48)
	binary.LittleEndian.PutUint64(body[8:], micros)
	for _, d := range data {
		body = w.item(body, d)
		if !w.compact {
			body = append(body, make([]byte, 8)...)
		}
	}
	at := w.object(3, 0, body)
	for _, d := range data {
		w.entries[d] = append(w.entries[d], at)
	}
	if le64(w.b, 184) == 0 {
		w.put(184, micros)
	}
	w.put(192, micros)
	return at
}

func (w *journalWriter) item(b []byte, at int) []byte {
	if w.compact {
		return binary.LittleEndian.AppendUint32(b, uint32(at))
	}
	return binary.LittleEndian.AppendUint64(b, uint64(at))
}

// bytes links the entries with their data objects: the first in it, the others in arrays
// of 4, 8, 16, …
func (w *journalWriter) bytes() []byte {
	data := make([]int, 0, len(w.entries))
	for d := range w.entries {
		data = append(data, d)
	}
	slices.Sort(data)
	for _, d := range data {
		list := w.entries[d]
		w.put(d+40, uint64(list[0]))
		w.put(d+56, uint64(len(list)))
		link, size := d+48, 4
		for rest := list[1:]; len(rest) > 0; size *= 2 {
			n := min(size, len(rest))
			body := make([]byte, 8)
			for _, at := range rest[:n] {
				body = w.item(body, at)
			}
			for range size - n { // room that is left
				body = w.item(body, 0)
			}
			at := w.object(6, 0, body)
			w.put(link, uint64(at))
			link, rest = at+16, rest[n:]
		}
	}
	return w.b
}

// sampleJournal has 100 messages of the kubelet, a second apart, and others between.
func sampleJournal(compact bool) []byte {
	w := newJournalWriter(compact, 8|4)
	kubelet, other := w.datum("_SYSTEMD_UNIT", []byte("kubelet.service"), 0), w.datum("_SYSTEMD_UNIT", []byte("cron.service"), 0)
	for i := range 100 {
		message := w.datum("MESSAGE", []byte(strings.Repeat("x", i)), 0)
		if i == 50 {
			message = w.datum("MESSAGE", []byte("packed"), JournalZstd)
		}
		w.entry(uint64(1000+i)*1e6, message, kubelet, w.datum("PRIORITY", []byte("3"), 0))
		w.entry(uint64(1000+i)*1e6, w.datum("MESSAGE", []byte("other"), 0), other)
	}
	return w.bytes()
}

func TestJournal(t *testing.T) {
	for name, compact := range map[string]bool{"regular": false, "compact": true} {
		t.Run(name, func(t *testing.T) {
			b := sampleJournal(compact)
			j, err := OpenJournal(bytes.NewReader(b), int64(len(b)))
			if err != nil || j.First != 1000e6 || j.Last != 1099e6 {
				t.Fatalf("%+v, %v", j, err)
			}
			var units []string
			var list JournalList
			if err := j.EachValue("_SYSTEMD_UNIT", func(d JournalData) bool {
				units = append(units, string(d.Payload))
				if string(d.Payload) == "_SYSTEMD_UNIT=kubelet.service" {
					list, err = j.Entries(d)
				}
				return true
			}); err != nil {
				t.Fatal(err)
			}
			if want := []string{"_SYSTEMD_UNIT=cron.service", "_SYSTEMD_UNIT=kubelet.service"}; err != nil || !slices.Equal(units, want) || list.Len != 100 {
				t.Fatalf("%v with %d entries, %v", units, list.Len, err)
			}
			for micros, want := range map[uint64]int{0: 0, 1000e6: 0, 1000e6 + 1: 1, 1042e6: 42, 1099e6: 99, 1100e6: 100} {
				if first, err := list.Since(micros); err != nil || first != want {
					t.Errorf("since %d: %d, %v, want %d", micros, first, err, want)
				}
			}
			for i := range list.Len {
				checkJournalEntry(t, j, list, i)
			}
			if err := j.EachValue("NO_SUCH", func(JournalData) bool { t.Error("it has a value"); return true }); err != nil {
				t.Error(err)
			}
		})
	}
}

func checkJournalEntry(t *testing.T, j *Journal, list JournalList, i int) {
	t.Helper()
	at, err := list.At(i)
	if err != nil {
		t.Fatal(err)
	}
	e, err := j.Entry(at)
	if err != nil || e.At != uint64(1000+i)*1e6 || len(e.Items) != 3 {
		t.Fatalf("entry %d: %+v, %v", i, e, err)
	}
	d, err := j.Data(e.Items[0])
	want, compression := "MESSAGE="+strings.Repeat("x", i), byte(0)
	if i == 50 {
		want, compression = "packed", JournalZstd
	}
	if err != nil || string(d.Payload) != want || d.Compression != compression || d.N != 1 {
		t.Errorf("entry %d: %q of %d entries, compressed by %d, %v", i, d.Payload, d.N, d.Compression, err)
	}
}

// A long text is cut, a long compressed one is whole or nothing.
func TestJournalLongData(t *testing.T) {
	w := newJournalWriter(true, 8)
	long, packed, tooLong := w.datum("MESSAGE", make([]byte, 5000), 0), w.datum("MESSAGE", make([]byte, 5000), JournalZstd), w.datum("MESSAGE", make([]byte, journalBlob), JournalZstd)
	j, err := OpenJournal(bytes.NewReader(w.b), int64(len(w.b)))
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[int]int{long: journalPayload, packed: 5000, tooLong: 0} {
		if d, err := j.Data(uint64(at)); err != nil || len(d.Payload) != want {
			t.Errorf("%d bytes, %v, want %d", len(d.Payload), err, want)
		}
	}
}

func TestNoJournal(t *testing.T) {
	newer := newJournalWriter(false, 32).b
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"empty":             {nil, errNoJournal},
		"text":              {make([]byte, 300), errNoJournal},
		"cut":               {newer[:100], errNoJournal},
		"of a newer format": {newer, errNewJournal},
	} {
		if _, err := OpenJournal(bytes.NewReader(c.b), int64(len(c.b))); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A journal whose arrays and chains lead round ends.
func TestJournalThatGoesRound(t *testing.T) {
	w := newJournalWriter(false, 0)
	d := w.datum("UNIT", []byte("a"), 0)
	for i := range 20 {
		w.entry(uint64(i), d)
	}
	b := w.bytes()
	array := int(le64(b, d+48))
	w.put(array+16, uint64(array))
	w.put(d+56, 1<<62)
	w.put(d+32, uint64(d))
	j, err := OpenJournal(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	if err := j.EachValue("UNIT", func(d JournalData) bool {
		if seen++; seen == 1 {
			if _, err := j.Entries(d); !errors.Is(err, errBadObject) {
				t.Errorf("got %v", err)
			}
		}
		return true
	}); err != nil || seen != journalValues {
		t.Errorf("%d values, %v", seen, err)
	}
}

func FuzzJournal(f *testing.F) {
	f.Add(sampleJournal(false)[:2000], "MESSAGE")
	f.Add(sampleJournal(true), "_SYSTEMD_UNIT")
	f.Fuzz(func(_ *testing.T, b []byte, field string) {
		j, err := OpenJournal(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		values := 0
		_ = j.EachValue(field, func(d JournalData) bool {
			if list, err := j.Entries(d); err == nil {
				if first, err := list.Since(1050e6); err == nil && first < list.Len {
					if at, err := list.At(first); err == nil {
						if e, err := j.Entry(at); err == nil && len(e.Items) > 0 {
							_, _ = j.Data(e.Items[0])
						}
					}
				}
			}
			values++
			return values < 100
		})
	})
}
