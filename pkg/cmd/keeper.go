package cmd

import (
	"cmp"
	"sync"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

// keeper saves the reports of many nodes in one file as they come; nil where
// nobody wants them.
type keeper struct {
	mu     sync.Mutex
	list   *saved.ListWriter
	closed bool
}

func newKeeper(path string) (*keeper, error) {
	if path == "" {
		return nil, nil
	}
	list, err := saved.NewList(path)
	return &keeper{list: list}, err
}

// add keeps a report. What goes wrong, close says.
func (k *keeper) add(r *report.NodeReport, inv *inventory.Inventory) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closed {
		_ = k.list.Add(r, inv)
	}
}

// close puts the file in its place. What comes later is not in it.
func (k *keeper) close(s *inventory.Storage) error {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil
	}
	k.closed = true
	return k.list.Close(s)
}

// saveAll saves what was read once more.
func (s *source) saveAll(items []saved.Item) error {
	switch {
	case s.flags.save == "":
		return nil
	case len(items) == 1:
		return s.save(items[0].Report, items[0].Inventory)
	}
	w, err := saved.NewList(s.flags.save)
	if err != nil {
		return err
	}
	var storage *inventory.Storage
	for _, item := range items {
		_ = w.Add(item.Report, item.Inventory) // Close says it
		if item.Inventory != nil {
			storage = cmp.Or(storage, item.Inventory.Storage)
		}
	}
	return w.Close(storage)
}
