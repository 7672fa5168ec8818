//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// imageBytes is what ext4 needs for a journal, and a little more.
const imageBytes = 8 << 20

// inline tells by the handle that the kubelet makes up for an inline volume.
func inline(handle string) bool { return strings.HasPrefix(handle, "csi-") }

func (d *driver) image(handle string) string {
	return filepath.Join(d.data, strings.ReplaceAll(handle, "/", "_")+".img")
}

// attach gives a volume its device; it makes the volume the first time.
func (d *driver) attach(handle string) (device string, err error) {
	image := d.image(handle)
	if device, err = attached(image); device != "" || err != nil {
		return device, err
	}
	if _, err := os.Stat(image); os.IsNotExist(err) {
		if err := os.WriteFile(image, nil, 0o600); err != nil {
			return "", err
		}
		if err := os.Truncate(image, imageBytes); err != nil {
			return "", err
		}
		if _, err := run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0", image); err != nil {
			return "", err
		}
	}
	return run("losetup", "--find", "--show", image)
}

// attached is the device that an image already has, "" for none.
func attached(image string) (string, error) {
	out, err := run("losetup", "--noheadings", "--output", "NAME", "--associated", image)
	device, _, _ := strings.Cut(out, "\n")
	return device, err
}

// detach takes the device away, and an inline volume's image.
func (d *driver) detach(handle string) error {
	image := d.image(handle)
	device, err := attached(image)
	if err == nil && device != "" {
		_, err = run("losetup", "--detach", device)
	}
	if err == nil && inline(handle) {
		err = os.Remove(image)
	}
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// mount mounts on a directory or file unless something is mounted there.
func mount(point string, what ...string) error {
	if mounted(point) {
		return nil
	}
	if _, err := os.Stat(point); os.IsNotExist(err) {
		if err := os.MkdirAll(point, 0o750); err != nil {
			return err
		}
	}
	_, err := run("mount", append(what, point)...)
	return err
}

func unmount(point string) error {
	if !mounted(point) {
		return nil
	}
	_, err := run("umount", point)
	return err
}

func mounted(point string) bool {
	_, err := run("findmnt", "--mountpoint", point)
	return err == nil
}

func run(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return "", fmt.Errorf("%s %q: %w: %s", name, args, err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}
