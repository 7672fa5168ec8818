// Package journaltest makes files of systemd's journal, for tests.
package journaltest

import (
	"encoding/binary"
	"slices"
)

// Writer makes a file as journald does: objects behind each other, hash chains,
// arrays of entries that double in size.
type Writer struct {
	b       []byte
	compact bool
	buckets int
	fields  map[string]int
	data    map[string]int
	entries map[int][]int // of each data object
	heads   []int         // of the fields' hash table
}

// New begins a file with these incompatible flags, and that of 32-bit offsets if compact.
func New(compact bool, flags uint32) *Writer {
	w := &Writer{b: make([]byte, 272), compact: compact, buckets: 3, fields: map[string]int{}, data: map[string]int{}, entries: map[int][]int{}}
	copy(w.b, "LPKSHHRH")
	if compact {
		flags |= 16
	}
	binary.LittleEndian.PutUint32(w.b[12:], flags)
	at := w.object(5, 0, make([]byte, 16*w.buckets))
	w.Put(120, uint64(at+16))
	w.Put(128, uint64(16*w.buckets))
	w.heads = make([]int, w.buckets)
	return w
}

func (w *Writer) get(at int) uint64 { return binary.LittleEndian.Uint64(w.b[at:]) }

// Put writes 64 bits over what is there.
func (w *Writer) Put(at int, v uint64) { binary.LittleEndian.PutUint64(w.b[at:], v) }

// object appends one, with what stands behind its header.
func (w *Writer) object(kind, flags byte, body []byte) int {
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

func (w *Writer) field(name string) int {
	at, there := w.fields[name]
	if !there {
		at = w.object(2, 0, append(make([]byte, 24), name...))
		bucket := len(w.fields) % w.buckets
		w.Put(at+24, uint64(w.heads[bucket])) // the chain's next
		w.heads[bucket] = at
		w.Put(int(w.get(120))+16*bucket, uint64(at))
		w.fields[name] = at
	}
	return at
}

// Data is the data object of a value, made once.
func (w *Writer) Data(name string, value []byte, compression byte) int {
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
		w.Put(at+32, w.get(field+32))
		w.Put(field+32, uint64(at))
		w.data[key] = at
	}
	return at
}

// Entry appends a message of data objects.
func (w *Writer) Entry(micros uint64, data ...int) int {
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
	if w.get(184) == 0 {
		w.Put(184, micros)
	}
	w.Put(192, micros)
	return at
}

func (w *Writer) item(b []byte, at int) []byte {
	if w.compact {
		return binary.LittleEndian.AppendUint32(b, uint32(at))
	}
	return binary.LittleEndian.AppendUint64(b, uint64(at))
}

// Bytes links the entries with their data objects: the first in it, the others in arrays
// of 4, 8, 16, …
func (w *Writer) Bytes() []byte {
	data := make([]int, 0, len(w.entries))
	for d := range w.entries {
		data = append(data, d)
	}
	slices.Sort(data)
	for _, d := range data {
		list := w.entries[d]
		w.Put(d+40, uint64(list[0]))
		w.Put(d+56, uint64(len(list)))
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
			w.Put(link, uint64(at))
			link, rest = at+16, rest[n:]
		}
	}
	return w.b
}
