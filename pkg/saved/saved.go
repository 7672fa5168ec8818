// Package saved keeps a report and the inventory it was joined with in one
// file, so that an answer can be had again offline.
package saved

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Kind names the schema of a File.
const Kind = "SavedReport"

// maxFile bounds what is read back, in bytes.
const maxFile = 256 << 20

// File is a saved report.
type File struct {
	APIVersion string               `json:"apiVersion"`
	Kind       string               `json:"kind"`
	Report     *report.NodeReport   `json:"report"`
	Inventory  *inventory.Inventory `json:"inventory,omitempty"`
}

// Write saves a report. The file appears whole or not at all: it is written
// beside its place, forced to disk and renamed.
func Write(path string, r *report.NodeReport, inv *inventory.Inventory) error {
	data, err := json.Marshal(File{APIVersion: report.APIVersion, Kind: Kind, Report: r, Inventory: inv})
	if err != nil {
		return fmt.Errorf("failed to save the report: %w", err)
	}
	if err := writeWhole(path, append(data, '\n')); err != nil {
		return fmt.Errorf("failed to save the report to %q: %w", path, err)
	}
	return nil
}

func writeWhole(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Read reads what Write wrote, or a bare NodeReport as the probe prints it.
// "-" reads stdin.
func Read(path string, stdin io.Reader) (*report.NodeReport, *inventory.Inventory, error) {
	data, err := readBounded(path, stdin)
	if err != nil {
		return nil, nil, fmt.Errorf("failed to read the report %q: %w", path, err)
	}
	var head struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, nil, fmt.Errorf("%q is not a report: %w", path, err)
	}
	f := File{Report: &report.NodeReport{}}
	var into any = &f
	if head.Kind == report.Kind {
		into = f.Report
	}
	if err := report.UnmarshalUntrusted(data, into); err != nil {
		return nil, nil, fmt.Errorf("failed to decode the report %q: %w", path, err)
	}
	if head.Kind != report.Kind && head.Kind != Kind || f.Report == nil {
		return nil, nil, fmt.Errorf("%q holds a %q, not a %s or %s", path, head.Kind, Kind, report.Kind)
	}
	if err := f.Report.Check(); err != nil {
		return nil, nil, fmt.Errorf("%q: %w", path, err)
	}
	return f.Report, f.Inventory, nil
}

func readBounded(path string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("it is larger than %d MiB", maxFile>>20)
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), err
}
