package hostfs

import (
	"bytes"
	"os"

	"golang.org/x/sys/unix"
)

// maxProcLine bounds a line of a streamed file. A longer one, which somebody's
// socket name may make, is left out; the lines around it stand.
const maxProcLine = 16 << 10

// EachLine streams a file of any size and calls fn with each line, without its
// newline, until fn returns false. The bytes are valid during the call, in
// which fn may read other files, but not stream them.
func (p *Proc) EachLine(name string, fn func(line []byte) bool) error {
	fd, err := p.open(p.at(name), 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	if p.lines == nil {
		p.lines = make([]byte, 64<<10)
	}
	kept, skip := 0, false
	for {
		n, err := p.readInto(fd, p.lines[kept:])
		if err != nil {
			return &os.PathError{Op: "read", Path: name, Err: err}
		}
		rest := p.lines[:kept+n]
		for {
			line, after, whole := bytes.Cut(rest, []byte("\n"))
			if !whole && n > 0 {
				break
			}
			if len(line) > 0 && !skip && len(line) <= maxProcLine && !fn(line) {
				return nil
			}
			if rest, skip = after, false; !whole {
				return nil // the file's end
			}
		}
		if len(rest) > maxProcLine {
			rest, skip = nil, true
		}
		kept = copy(p.lines, rest)
	}
}
