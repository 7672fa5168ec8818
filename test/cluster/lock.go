package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const lockPatience = 2 * time.Second

// lockDirectory keeps two commands from making or removing the same cluster at once. The kernel lets go of the lock
// when the process ends, however it ends.
func lockDirectory(l layout) (*os.File, error) {
	if err := ours(l); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return nil, fmt.Errorf("failed to make %q: %w", l.dir, err)
	}
	file, err := os.OpenFile(l.lock(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("failed to open %q: %w", l.lock(), err)
	}
	// A child of a command that has just been killed holds the lock until it has become another program. Only from then
	// on can it be found, so this wait is what keeps `down` from overlooking it.
	for deadline := time.Now().Add(lockPatience); ; time.Sleep(10 * time.Millisecond) {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if time.Now().After(deadline) {
			file.Close()
			return nil, fmt.Errorf("failed to lock %q: another cluster command is at work there; wait for it, or end it: %w", l.dir, err)
		}
	}
}

// ours refuses a directory that holds other things: `down` removes it with all that is in it.
func ours(l layout) error {
	entries, err := os.ReadDir(l.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("failed to read %q: %w", l.dir, err)
	}
	if len(entries) > 0 && !exists(l.lock()) {
		return fmt.Errorf("failed to use %q: it is not empty, and not a cluster's; give another --dir", l.dir)
	}
	return nil
}
