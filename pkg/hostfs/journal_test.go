package hostfs

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs/journaltest"
)

// sampleJournal has 100 messages of the kubelet, a second apart, and others between.
func sampleJournal(compact bool) []byte {
	w := journaltest.New(compact, 8|4)
	kubelet, other := w.Data("_SYSTEMD_UNIT", []byte("kubelet.service"), 0), w.Data("_SYSTEMD_UNIT", []byte("cron.service"), 0)
	for i := range 100 {
		message := w.Data("MESSAGE", []byte(strings.Repeat("x", i)), 0)
		if i == 50 {
			message = w.Data("MESSAGE", []byte("packed"), JournalZstd)
		}
		w.Entry(uint64(1000+i)*1e6, message, kubelet, w.Data("PRIORITY", []byte("3"), 0))
		w.Entry(uint64(1000+i)*1e6, w.Data("MESSAGE", []byte("other"), 0), other)
	}
	return w.Bytes()
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
	w := journaltest.New(true, 8)
	long, packed, tooLong := w.Data("MESSAGE", make([]byte, 5000), 0), w.Data("MESSAGE", make([]byte, 5000), JournalZstd), w.Data("MESSAGE", make([]byte, journalBlob), JournalZstd)
	j, err := OpenJournal(bytes.NewReader(w.Bytes()), int64(len(w.Bytes())))
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
	newer := journaltest.New(false, 32).Bytes()
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
	w := journaltest.New(false, 0)
	d := w.Data("UNIT", []byte("a"), 0)
	for i := range 20 {
		w.Entry(uint64(i), d)
	}
	b := w.Bytes()
	array := int(le64(b, d+48))
	w.Put(array+16, uint64(array))
	w.Put(d+56, 1<<62)
	w.Put(d+32, uint64(d))
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
