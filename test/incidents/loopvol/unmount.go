//go:build linux

package loopvol

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Below lists the mounts of this namespace at and below some directories, those
// that stand on others first.
func Below(directories ...string) ([]string, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var points []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		point := decode(fields[4])
		if slices.ContainsFunc(directories, func(d string) bool { return point == d || strings.HasPrefix(point, d+"/") }) {
			points = append(points, point)
		}
	}
	slices.Reverse(points)
	return points, lines.Err()
}

// Unmount unmounts all at and below some directories. What is a copy of other
// mounts must not take these along, so each is made private first: what stands
// on a shared mount goes from all its peers (mount_namespaces(7)).
func Unmount(directories ...string) error {
	points, err := Below(directories...)
	var failures []error
	for _, point := range points {
		failures = append(failures, unix.Mount("", point, "", unix.MS_PRIVATE, ""))
	}
	for _, point := range points {
		if err := unix.Unmount(point, unix.UMOUNT_NOFOLLOW); errors.Is(err, unix.EBUSY) {
			failures = append(failures, unix.Unmount(point, unix.UMOUNT_NOFOLLOW|unix.MNT_DETACH))
		} else if err != nil {
			failures = append(failures, fmt.Errorf("failed to unmount %q: %w", point, err))
		}
	}
	left, errLeft := Below(directories...)
	if len(left) > 0 {
		failures = append(failures, fmt.Errorf("still mounted: %q", left))
	}
	return errors.Join(append(failures, err, errLeft)...)
}

// RemoveDevices removes the loop devices from a number on that are free. One that was so
// a moment ago may still be open, of udev for example: it is tried for some seconds.
func RemoveDevices(first int) error {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer control.Close()
	for range 50 {
		busy, err := removeFree(control, first)
		if err != nil || busy == 0 {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil // somebody else's by now
}

// removeFree tries each once, whatever becomes of the others, and says how many have no
// file behind them and are busy all the same. One that is gone (ENODEV) another has
// removed meanwhile.
func removeFree(control *os.File, first int) (busy int, err error) {
	devices, err := os.ReadDir("/sys/block")
	if err != nil {
		return 0, err
	}
	var failures []error
	for _, d := range devices {
		n, err := strconv.Atoi(strings.TrimPrefix(d.Name(), "loop"))
		if err != nil || !strings.HasPrefix(d.Name(), "loop") || n < first {
			continue
		}
		switch err := unix.IoctlSetInt(int(control.Fd()), unix.LOOP_CTL_REMOVE, n); {
		case err == nil, errors.Is(err, unix.ENODEV):
		case errors.Is(err, unix.EBUSY):
			if _, err := os.Stat("/sys/block/" + d.Name() + "/loop/backing_file"); errors.Is(err, os.ErrNotExist) {
				busy++
			}
		default:
			failures = append(failures, fmt.Errorf("failed to remove %s: %w", d.Name(), err))
		}
	}
	return busy, errors.Join(failures...)
}

// decode undoes the octal escapes of mountinfo: blank, tab, newline, backslash.
func decode(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
