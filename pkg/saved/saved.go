// Package saved keeps a report and the inventory it was joined with in one
// file, so that an answer can be had again offline.
package saved

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	target, err := place(path)
	if err == nil {
		err = writeWhole(target, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("failed to save the report to %q: %w", path, err)
	}
	return nil
}

// place follows symbolic links, which stay, and refuses what a rename would
// replace for good: a directory, or as root /dev/null.
func place(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	if err != nil {
		return "", err
	}
	info, err := os.Stat(target)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is there already, and is no regular file")
	}
	return target, err
}

func writeWhole(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
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

// Read reads what Write wrote, or a bare NodeReport as the probe prints it, or a
// list of one report. "-" reads stdin.
func Read(path string, stdin io.Reader) (*report.NodeReport, *inventory.Inventory, error) {
	items, err := ReadAll(path, stdin)
	if err != nil {
		return nil, nil, err
	}
	if len(items) > 1 {
		return nil, nil, fmt.Errorf("%q holds the reports of %d nodes, and this takes one: save that node alone", path, len(items))
	}
	return items[0].Report, items[0].Inventory, nil
}

// readKind reads a file and what it says it holds.
func readKind(path string, stdin io.Reader) (data []byte, kind string, err error) {
	data, err = readBounded(path, stdin)
	if err != nil {
		return nil, "", fmt.Errorf("failed to read the report %q: %w", path, err)
	}
	var head struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		if _, other := errors.AsType[*json.UnmarshalTypeError](err); other {
			err = errors.New("it is JSON, but no object with a kind")
		}
		return nil, "", fmt.Errorf("%q is not a report: %w", path, err)
	}
	return data, head.Kind, nil
}

func decodeOne(path, kind string, data []byte) (*report.NodeReport, *inventory.Inventory, error) {
	f := File{}
	var into any = &f
	if kind == report.Kind {
		f.Report = &report.NodeReport{}
		into = f.Report
	}
	if err := report.UnmarshalUntrusted(data, into); err != nil {
		return nil, nil, fmt.Errorf("failed to decode the report %q: %w", path, err)
	}
	if err := f.check(kind); err != nil {
		return nil, nil, fmt.Errorf("%q: %w", path, err)
	}
	return f.Report, f.Inventory, nil
}

// check refuses other kinds and versions, of the file and of the report in it.
func (f File) check(kind string) error {
	switch {
	case kind != report.Kind && kind != Kind:
		return fmt.Errorf("it holds a %q, not a %s or %s", kind, Kind, report.Kind)
	case kind == Kind && f.APIVersion != report.APIVersion:
		return otherVersion(Kind, f.APIVersion)
	case f.Report == nil:
		return errors.New("it has no report in it")
	}
	return f.Report.Check()
}

func otherVersion(kind, version string) error {
	return fmt.Errorf("it is a %s of %q, this program reads %q: use the version that made it", kind, version, report.APIVersion)
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
