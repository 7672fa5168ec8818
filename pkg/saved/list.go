package saved

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// ListKind names the schema of a file with the reports of many nodes.
const ListKind = "SavedReportList"

// Item is one node's report in a list, with its inventory. The storage is the
// same for all nodes and stands in the file once.
type Item struct {
	Report    *report.NodeReport   `json:"report"`
	Inventory *inventory.Inventory `json:"inventory,omitempty"`
}

// ListWriter writes a list item by item, so that a thousand reports need not be
// held. It serves one goroutine.
type ListWriter struct {
	path, target string
	f            *os.File
	size         int
	items        int
	err          error
}

// NewList begins a list. The file appears at Close, whole or not at all.
func NewList(path string) (*ListWriter, error) {
	w := &ListWriter{path: path}
	var err error
	if w.target, err = place(path); err == nil {
		w.f, err = os.CreateTemp(filepath.Dir(w.target), "."+filepath.Base(w.target)+".*")
	}
	if err != nil {
		return nil, w.failed(err)
	}
	w.write([]byte(fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"items":[`, report.APIVersion, ListKind)))
	return w, w.err
}

func (w *ListWriter) failed(err error) error {
	return fmt.Errorf("failed to save the reports to %q: %w", w.path, err)
}

func (w *ListWriter) write(data []byte) {
	if w.err != nil {
		return
	}
	if w.size += len(data); w.size > maxFile {
		w.err = w.failed(fmt.Errorf("they are larger than the %d MiB that --from reads: save fewer nodes in one file", maxFile>>20))
		return
	}
	if _, err := w.f.Write(data); err != nil {
		w.err = w.failed(err)
	}
}

// Add adds a node. An error is also Close's.
func (w *ListWriter) Add(r *report.NodeReport, inv *inventory.Inventory) error {
	if inv != nil {
		own := *inv
		own.Storage = nil
		inv = &own
	}
	data, err := json.Marshal(Item{Report: r, Inventory: inv})
	if err != nil && w.err == nil {
		w.err = w.failed(err)
	}
	if w.items > 0 {
		w.write([]byte{',', '\n'})
	}
	w.items++
	w.write(data)
	return w.err
}

// Close ends the list with the storage of all its nodes, which may be nil, and puts the
// file in its place. After an error, or without any item, there is none.
func (w *ListWriter) Close(s *inventory.Storage) error {
	data, err := json.Marshal(s)
	if err != nil && w.err == nil {
		w.err = w.failed(err)
	}
	w.write([]byte(`],"storage":`))
	w.write(append(data, '}', '\n'))
	if w.err == nil && w.items == 0 {
		w.err = w.failed(errors.New("there is none"))
	}
	if w.err == nil {
		err = w.f.Sync()
	}
	if closeErr := w.f.Close(); err == nil {
		err = closeErr
	}
	if err == nil && w.err == nil {
		err = os.Rename(w.f.Name(), w.target)
	}
	if err != nil && w.err == nil {
		w.err = w.failed(err)
	}
	if w.err != nil {
		_ = os.Remove(w.f.Name())
	}
	return w.err
}

// list is what a ListWriter wrote.
type list struct {
	APIVersion string            `json:"apiVersion"`
	Items      []json.RawMessage `json:"items"`
	Storage    json.RawMessage   `json:"storage"`
}

// ReadAll reads what Write or a ListWriter wrote, or a bare NodeReport. "-" reads
// stdin.
func ReadAll(path string, stdin io.Reader) ([]Item, error) {
	data, kind, err := readKind(path, stdin)
	if err != nil {
		return nil, err
	}
	if kind != ListKind {
		r, inv, err := decodeOne(path, kind, data)
		return []Item{{r, inv}}, err
	}
	var l list
	if err := json.Unmarshal(data, &l); err != nil {
		return nil, fmt.Errorf("failed to decode the reports %q: %w", path, err)
	}
	if l.APIVersion != report.APIVersion {
		return nil, fmt.Errorf("%q: %w", path, otherVersion(ListKind, l.APIVersion))
	}
	if len(l.Items) == 0 {
		return nil, fmt.Errorf("%q: it has no report in it", path)
	}
	return l.decode(path)
}

// decode bounds each part as a file of its own would be.
func (l list) decode(path string) ([]Item, error) {
	var storage *inventory.Storage
	if len(l.Storage) > 0 {
		if err := report.UnmarshalUntrusted(l.Storage, &storage); err != nil {
			return nil, fmt.Errorf("failed to decode the storage of %q: %w", path, err)
		}
	}
	items := make([]Item, len(l.Items))
	for i, raw := range l.Items {
		if err := report.UnmarshalUntrusted(raw, &items[i]); err != nil {
			return nil, fmt.Errorf("failed to decode report %d of %q: %w", i+1, path, err)
		}
		if items[i].Report == nil {
			return nil, fmt.Errorf("%q: item %d has no report in it", path, i+1)
		}
		if err := items[i].Report.Check(); err != nil {
			return nil, fmt.Errorf("%q: report %d: %w", path, i+1, err)
		}
		if inv := items[i].Inventory; inv != nil {
			inv.Storage = storage
		}
	}
	return items, nil
}
