//go:build linux

package probe

import (
	"context"
	"os"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const maxJournals = 1000 // files in a directory

// journalFile is an open one.
type journalFile struct {
	*hostfs.Journal
	file *os.File
	// seen is what a data object turned out to be, by its offset: most of an entry's
	// are those of the entry before.
	seen map[uint64]journalText
}

// journalText is a data object as a message needs it.
type journalText struct {
	message  string
	priority *int
	blob     int // of report.Logs.Blobs
	hasBlob  bool
	packed   bool // and not wanted
}

func closeJournals(files []*journalFile) {
	for _, f := range files {
		f.file.Close()
	}
}

// journals opens the files of the host's journal that have anything of the time asked
// for, the newest first: those of memory, and those on disk. Another machine's, and
// users', lie beside them.
func (l *logs) journals() []*journalFile {
	var files []*journalFile
	id, err := l.root.ReadFile("/etc/machine-id", 64)
	if err != nil {
		if !hostfs.Gone(err) {
			l.bad.add("/etc/machine-id", err)
		}
		return nil
	}
	for _, dir := range []string{"/run/log/journal", "/var/log/journal"} {
		dir = path.Join(dir, path.Base("/"+strings.TrimSpace(string(id))))
		names, err := l.root.ReadDirNames(dir, maxJournals)
		if err != nil && !hostfs.Gone(err) {
			l.bad.add(dir, err)
		}
		for _, name := range names {
			if !strings.HasPrefix(name, "system") || !strings.HasSuffix(strings.TrimSuffix(name, "~"), ".journal") {
				continue
			}
			if f, err := l.openJournal(path.Join(dir, name)); err != nil {
				if !hostfs.Gone(err) { // rotated away
					l.bad.add(path.Join(dir, "*.journal"), err)
				}
			} else if f != nil {
				files = append(files, f)
			}
		}
	}
	sort.Slice(files, func(a, b int) bool { return files[a].Last > files[b].Last })
	return files
}

// openJournal gives nothing for a file that ends before the time asked for.
func (l *logs) openJournal(name string) (*journalFile, error) {
	f, info, err := l.root.OpenRegular(name)
	if err != nil {
		return nil, err
	}
	j, err := hostfs.OpenJournal(f, info.Size())
	if err != nil || int64(j.Last) < l.out.Since {
		f.Close()
		return nil, err
	}
	return &journalFile{Journal: j, file: f, seen: map[uint64]journalText{}}, nil
}

// journalSpot is where an entry stands.
type journalSpot struct {
	file  *journalFile
	entry uint64
}

// fromJournal reads the messages that have one of the values in one of the fields,
// the newest first: those of a log's units, and those that systemd itself logs of them.
func (l *logs) fromJournal(ctx context.Context, files []*journalFile, s *report.LogSource, values []string, fields ...string) {
	for _, f := range files {
		var spots []journalSpot
		for _, field := range fields {
			err := f.EachValue(field, func(d hostfs.JournalData) bool {
				if slices.Contains(values, strings.TrimPrefix(string(d.Payload), field+"=")) {
					more, left, err := f.newest(d, uint64(max(l.out.Since, 0)))
					if err != nil {
						l.bad.add("journal", err)
					}
					spots, s.Left = append(spots, more...), s.Left+left
				}
				return ctx.Err() == nil
			})
			if err != nil {
				l.bad.add("journal", err)
			}
		}
		// An entry comes after all that were written before it.
		sort.Slice(spots, func(a, b int) bool { return spots[a].entry > spots[b].entry })
		for i, spot := range spots {
			if ctx.Err() != nil || len(s.Lines) == maxLogLines || !l.entry(spot, s) {
				s.Left += len(spots) - i
				l.left = 0
				break
			}
		}
	}
}

// newest are the entries of a data object since a time, and how many more of them
// there are.
func (f *journalFile) newest(d hostfs.JournalData, since uint64) (spots []journalSpot, left int, err error) {
	list, err := f.Entries(d)
	if err != nil {
		return nil, 0, err
	}
	first, err := list.Since(since)
	if err != nil {
		return nil, 0, err
	}
	from := max(first, list.Len-maxLogLines)
	for i := from; i < list.Len; i++ {
		at, err := list.At(i)
		if err != nil {
			return spots, from - first, err
		}
		spots = append(spots, journalSpot{f, at})
	}
	return spots, from - first, nil
}

// entry adds an entry's message; false: there is no room for it.
func (l *logs) entry(spot journalSpot, s *report.LogSource) bool {
	if l.left <= 0 {
		return false
	}
	e, err := spot.file.Entry(spot.entry)
	if err != nil {
		l.bad.add("entries of the journal", err)
		return true
	}
	if int64(e.At) < l.out.Since { // somebody has set the clock
		return true
	}
	line, packed := report.LogLine{At: int64(e.At)}, false
	for _, item := range e.Items {
		t, known := spot.file.seen[item]
		if !known {
			var ok bool
			if t, ok = l.journalText(spot.file, item); !ok {
				return false
			}
			spot.file.seen[item] = t
		}
		switch {
		case t.priority != nil:
			line.Priority = t.priority
		case t.hasBlob:
			line.Blobs = append(line.Blobs, t.blob)
		case t.packed:
			packed = true
		case t.message != "":
			line.Text = t.message
		}
	}
	if line.Text != "" {
		line.Blobs = nil
	}
	if line.Text == "" && line.Blobs == nil {
		if packed {
			s.Left++
		}
		return true
	}
	if !l.room(line.Text) {
		return false
	}
	s.Lines = append(s.Lines, line)
	return true
}

// journalText reads a data object; false: there is no room for it. Which field a
// compressed one is of, only who unpacks it can tell.
func (l *logs) journalText(f *journalFile, at uint64) (t journalText, ok bool) {
	d, err := f.Data(at)
	if err != nil {
		l.bad.add("data of the journal", err)
		return t, true
	}
	compression := ""
	switch d.Compression {
	case 0:
		text := string(d.Payload)
		if message, found := strings.CutPrefix(text, "MESSAGE="); found {
			t.message = l.text(message)
		} else if p, found := strings.CutPrefix(text, "PRIORITY="); found && len(p) == 1 && p[0] >= '0' && p[0] <= '7' {
			n := int(p[0] - '0')
			t.priority = &n
		}
		return t, true
	case hostfs.JournalXZ:
		compression = report.CompressionXZ
	case hostfs.JournalLZ4:
		compression = report.CompressionLZ4
	case hostfs.JournalZstd:
		compression = report.CompressionZstd
	}
	if compression == "" || d.Payload == nil { // too large, or of two kinds
		return t, true
	}
	if !l.req.PackedLogs {
		t.packed = true
		return t, true
	}
	if l.blobs -= len(d.Payload); l.blobs < 0 {
		return t, false
	}
	t.blob, t.hasBlob = len(l.out.Blobs), true
	l.out.Blobs = append(l.out.Blobs, report.LogBlob{Compression: compression, Data: d.Payload})
	return t, true
}
