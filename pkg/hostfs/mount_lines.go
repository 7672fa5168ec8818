package hostfs

import (
	"bytes"
	"errors"
	"io"
)

// mountRead is what one read asks for, in bytes. The kernel keeps so much for
// the reader, and holds namespace_sem, which mounts of the node wait for, only
// while it fills it.
const mountRead = 4 << 10

// EachMountLine calls fn for every line of mountinfo; the line is valid during
// the call. It keeps none, since a node may have tens of thousands. Lines of
// another form, or longer than maxMountLine, are left out and counted.
func EachMountLine(r io.Reader, fn func(*MountLine)) (skipped int, err error) {
	return eachMountLine(r, make([]byte, maxMountLine+mountRead), fn)
}

func eachMountLine(r io.Reader, buf []byte, fn func(*MountLine)) (skipped int, err error) {
	var m MountLine
	kept, tooLong := 0, false
	take := func(line []byte) {
		switch {
		case tooLong || !parseMountLine(line, &m):
			skipped++
		default:
			fn(&m)
		}
		tooLong = false
	}
	for {
		n, err := r.Read(buf[kept : kept+mountRead])
		rest := buf[:kept+n]
		for {
			end := bytes.IndexByte(rest[min(kept, len(rest)):], '\n') // what was kept has none
			if end < 0 {
				break
			}
			end += kept
			take(rest[:end])
			rest, kept = rest[end+1:], 0
		}
		if errors.Is(err, io.EOF) {
			if len(rest) > 0 || tooLong {
				take(rest)
			}
			return skipped, nil
		}
		if err != nil {
			return skipped, err
		}
		if len(rest) > maxMountLine {
			rest, tooLong = rest[:0], true
		}
		kept = copy(buf, rest)
	}
}
