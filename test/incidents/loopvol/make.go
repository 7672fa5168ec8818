//go:build linux

package loopvol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Make mounts volumes, one JSON object each, which are copies of a filesystem's
// image.
func Make(template string, volumes io.Reader) error {
	image, err := os.ReadFile(template)
	if err != nil {
		return err
	}
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer control.Close()
	for in := json.NewDecoder(volumes); ; {
		var v Volume
		if err := in.Decode(&v); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := v.make(image, control); err != nil {
			return fmt.Errorf("failed to make %q: %w", v.Image, err)
		}
	}
}

func (v Volume) make(image []byte, control *os.File) error {
	if err := writeSparse(v.Image, image); err != nil {
		return err
	}
	device, closeDevice, err := attach(v.Image, control)
	if err != nil {
		return err
	}
	defer closeDevice() // it goes with its last user: the mount, by then
	for i, point := range v.Points {
		if err := os.MkdirAll(point, 0o750); err != nil {
			return err
		}
		if i == 0 {
			// Nothing may be written in the background to thousands of files.
			err = unix.Mount(device, point, "ext4", unix.MS_NOATIME, "noinit_itable")
		} else {
			err = unix.Mount(v.Points[0], point, "", unix.MS_BIND, "")
		}
		if err != nil {
			return fmt.Errorf("failed to mount on %q: %w", point, err)
		}
	}
	return nil
}

// writeSparse leaves out blocks of zeros: they take no room on the disk.
func writeSparse(name string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	const block = 4096
	zeros := make([]byte, block)
	for at := 0; at < len(b); at += block {
		part := b[at:min(at+block, len(b))]
		if bytes.Equal(part, zeros[:len(part)]) {
			continue
		}
		if _, err := f.WriteAt(part, int64(at)); err != nil {
			return err
		}
	}
	return f.Truncate(int64(len(b)))
}

// attach gives a file a loop device of its own, which goes with its last user
// (loop(4)). Somebody else may take the free one first.
func attach(image string, control *os.File) (device string, done func(), err error) {
	backing, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return "", nil, err
	}
	defer backing.Close()
	for {
		free, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return "", nil, err
		}
		device = fmt.Sprintf("/dev/loop%d", free)
		loop, err := os.OpenFile(device, os.O_RDWR, 0)
		if err != nil {
			return "", nil, err
		}
		config := unix.LoopConfig{Fd: uint32(backing.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}}
		copy(config.Info.File_name[:len(config.Info.File_name)-1], image)
		err = unix.IoctlLoopConfigure(int(loop.Fd()), &config)
		if err == nil {
			return device, func() { loop.Close() }, nil
		}
		loop.Close()
		if !errors.Is(err, unix.EBUSY) {
			return "", nil, err
		}
	}
}
