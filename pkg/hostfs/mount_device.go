package hostfs

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// DeviceMount is a line of mountinfo with its device.
type DeviceMount struct {
	Number string // "253:0", major:minor
	Root   string // the mounted directory within the filesystem
	Mount
	Source string
}

// EachMount calls fn for every line of mountinfo, proc_pid_mountinfo(5); it
// keeps none, since a node may have tens of thousands. Lines of another form,
// or longer than maxMountLine, are left out and counted.
func EachMount(r io.Reader, fn func(DeviceMount)) (skipped int, err error) {
	lines := bufio.NewReaderSize(r, maxMountLine)
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) { // too long: to its end
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = lines.ReadSlice('\n')
			}
			line = nil
		}
		if m, ok := parseDeviceMount(line); ok {
			fn(m)
		} else if len(line) > 0 || err == nil {
			skipped++
		}
		if errors.Is(err, io.EOF) {
			return skipped, nil
		}
		if err != nil {
			return skipped, err
		}
	}
}

func parseDeviceMount(line []byte) (DeviceMount, bool) {
	m, ok := parseMountLine(line)
	if !ok {
		return DeviceMount{}, false
	}
	f := bytes.Fields(line)
	d := DeviceMount{Number: string(f[2]), Root: unmangle(string(f[3])), Mount: m}
	for i := 6; i+2 < len(f); i++ {
		if string(f[i]) == "-" {
			d.Source = unmangle(string(f[i+2]))
			break
		}
	}
	return d, true
}
