package cmd

import (
	"sync"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

// keeper saves the reports of many nodes in one file as they come; nil where
// nobody wants them.
type keeper struct {
	mu   sync.Mutex
	list *saved.ListWriter
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
	_ = k.list.Add(r, inv)
}

func (k *keeper) close(s *inventory.Storage) error {
	if k == nil {
		return nil
	}
	return k.list.Close(s)
}
