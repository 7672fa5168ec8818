package hostfs

import (
	"encoding/binary"
	"errors"
	"io"
)

// Journal is a file of systemd's journal, as https://systemd.io/JOURNAL_FILE_FORMAT
// has it: objects that refer to each other by offset, in little endian. It is read by
// pread(2), beside the daemon that appends to it; nothing in it is believed.
type Journal struct {
	r       io.ReaderAt
	size    uint64
	compact bool
	// First and Last are the times of its entries, microseconds since 1970; 0: none.
	First, Last uint64
	// fields is the hash table of field names: so many of 16 bytes.
	fields, fieldsLen uint64
}

// JournalData is a data object, "FIELD=value", and where its entries stand.
type JournalData struct {
	Payload     []byte // cut at journalPayload, or whole if compressed
	Compression byte   // one of JournalXZ …, 0: none
	N           uint64 // entries that have it
	first       uint64 // entry
	array       uint64 // of the others
	next        uint64 // data object of the same field
}

// Compressions of a data object, by its flags.
const (
	JournalXZ   = 1
	JournalLZ4  = 2
	JournalZstd = 4
)

// Types of objects.
const (
	objectData       = 1
	objectField      = 2
	objectEntry      = 3
	objectEntryArray = 6
)

const (
	journalHeader = 208 // of the oldest version, without what was added later
	objectHeader  = 16
	// Flags that a reader must know (header-incompatible): compression of data objects,
	// a keyed hash, which is not computed here, and 32-bit offsets.
	journalCompact = 16
	journalKnown   = JournalXZ | JournalLZ4 | 4 | 8 | journalCompact

	// journalPayload bounds what is read of a text, journalBlob what of a compressed
	// one: journald itself splits lines at 48 KiB.
	journalPayload = 1024
	journalBlob    = 64 << 10
	// Bounds of what a broken file makes go round.
	journalValues = 50_000
	journalItems  = 256
	journalArrays = 64 // each is twice as long as the one before
	journalTable  = 1 << 20
)

var (
	errNoJournal  = errors.New("not a file of systemd's journal")
	errNewJournal = errors.New("a journal of a newer format")
	errBadObject  = errors.New("its objects do not fit together")
)

// OpenJournal reads the header of a file of so many bytes.
func OpenJournal(r io.ReaderAt, size int64) (*Journal, error) {
	b := make([]byte, journalHeader)
	if _, err := r.ReadAt(b, 0); errors.Is(err, io.EOF) {
		return nil, errNoJournal
	} else if err != nil {
		return nil, err
	}
	if string(b[:8]) != "LPKSHHRH" {
		return nil, errNoJournal
	}
	flags := binary.LittleEndian.Uint32(b[12:])
	if flags&^journalKnown != 0 {
		return nil, errNewJournal
	}
	return &Journal{r: r, size: uint64(size), compact: flags&journalCompact != 0,
		fields: le64(b, 120), fieldsLen: le64(b, 128) / 16, First: le64(b, 184), Last: le64(b, 192)}, nil
}

func le64(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }

// object reads most bytes of an object, which has least at least.
func (j *Journal) object(at uint64, kind byte, least, most int) (b []byte, size uint64, err error) {
	if at < journalHeader || at%8 != 0 || at >= j.size {
		return nil, 0, errBadObject
	}
	b = make([]byte, min(uint64(most), j.size-at))
	if n, err := j.r.ReadAt(b, int64(at)); err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, err
	} else if b = b[:n]; n < least {
		return nil, 0, errBadObject
	}
	size = le64(b, 8)
	if b[0] != kind || size < uint64(least) || size > j.size-at {
		return nil, 0, errBadObject
	}
	return b[:min(uint64(len(b)), size)], size, nil
}

// itemBytes is the size of an offset in an entry array.
func (j *Journal) itemBytes() uint64 {
	if j.compact {
		return 4
	}
	return 8
}

func (j *Journal) item(b []byte) uint64 {
	if j.compact {
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

// EachValue calls fn for each value of a field, until it says no. The fields' hash
// table is walked through, so that no hash needs to be computed: a journal has some
// hundred fields.
func (j *Journal) EachValue(field string, fn func(JournalData) bool) error {
	data, err := j.findField(field)
	for n := 0; err == nil && data != 0 && n < journalValues; n++ {
		var d JournalData
		if d, err = j.Data(data); err == nil && !fn(d) {
			return nil
		}
		data = d.next
	}
	return err
}

// findField is the field's first data object, 0 for none.
func (j *Journal) findField(name string) (uint64, error) {
	if j.fieldsLen > journalTable/16 || j.fields > j.size || j.fieldsLen*16 > j.size-j.fields {
		return 0, errBadObject
	}
	table := make([]byte, j.fieldsLen*16)
	if _, err := j.r.ReadAt(table, int64(j.fields)); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	const head = 40 // bytes before its name
	for seen := 0; len(table) > 0; table = table[16:] {
		for at := le64(table, 0); at != 0; seen++ {
			b, size, err := j.object(at, objectField, head, head+len(name)+1)
			if err != nil || seen > journalValues {
				return 0, errors.Join(err, errBadObject)
			}
			if size == uint64(head+len(name)) && string(b[head:]) == name {
				return le64(b, 32), nil
			}
			at = le64(b, 24)
		}
	}
	return 0, nil
}

// Data reads a data object.
func (j *Journal) Data(at uint64) (d JournalData, err error) {
	head := 64 // bytes before its payload
	if j.compact {
		head = 72
	}
	b, size, err := j.object(at, objectData, head, head+journalPayload)
	if err != nil {
		return d, err
	}
	d = JournalData{Compression: b[1] & (JournalXZ | JournalLZ4 | JournalZstd), next: le64(b, 32), first: le64(b, 40), array: le64(b, 48), N: le64(b, 56)}
	if d.Compression != 0 && size <= journalBlob && size > uint64(len(b)) {
		if b, _, err = j.object(at, objectData, int(size), int(size)); err != nil {
			return d, err
		}
	}
	if d.Compression == 0 || uint64(len(b)) == size {
		d.Payload = b[head:]
	}
	return d, nil
}
