//go:build linux

package probe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// maxKept bounds a report that is kept, packed, in bytes; there are two while one
// replaces the other.
const maxKept = 8 << 20

// blackBox keeps the last report in a directory of its own.
type blackBox struct{ dir string }

func (b blackBox) path() string { return filepath.Join(b.dir, report.KeptName) }

// keep puts a report in the place of the last, which is there until then: a full
// disk costs the new one only. Only root reads it; the kubelet, which serves it, is.
func (b blackBox) keep(packed []byte) error {
	if len(packed) > maxKept {
		return fmt.Errorf("it has %d bytes, %d are the most", len(packed), maxKept)
	}
	next := b.path() + ".new"
	err := writeNew(next, packed)
	if err == nil {
		err = os.Rename(next, b.path())
	}
	if err != nil {
		_ = os.Remove(next)
	}
	return err
}

// writeNew writes a file that was not there: what an earlier probe, which was
// killed, has left goes first, and no link is followed.
func writeNew(path string, data []byte) error {
	_ = os.Remove(path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// remove leaves nothing behind but the directory, in which it cannot: it is mounted.
func (b blackBox) remove() error {
	err := os.Remove(b.path())
	_ = os.Remove(b.path() + ".new")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
