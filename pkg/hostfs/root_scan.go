package hostfs

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// scanOverlap is how much of one chunk is seen again with the next, so that what is
// looked for is whole in one of them.
const scanOverlap = 2048

// Scan gives a regular file to each in pieces, without ever holding the whole, until it
// says that it has found what it looks for, or limit bytes were read.
func (r *Root) Scan(name string, limit int64, each func(piece []byte) (found bool)) error {
	inside, err := r.inside(name)
	if err != nil {
		return err
	}
	if err := regular(r.root.Stat(inside)); err != nil {
		return err
	}
	f, err := r.open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := regular(f.Stat()); err != nil { // it was swapped meanwhile
		return err
	}
	return scan(io.LimitReader(f, limit), each)
}

func scan(in io.Reader, each func(piece []byte) (found bool)) error {
	piece := make([]byte, 0, 128<<10)
	for end := false; !end; {
		n, err := io.ReadFull(in, piece[len(piece):cap(piece)])
		if end = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF); err != nil && !end {
			return err
		}
		piece = piece[:len(piece)+n]
		end = each(piece) || end
		piece = piece[:copy(piece, piece[max(len(piece)-scanOverlap, 0):])]
	}
	return nil
}

func regular(info os.FileInfo, err error) error {
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	return err
}

// RuncVersion finds a runc's version in a piece of its program: of what its makers have
// linked in ("1.0.0-rc93", the commit as git describes it: "v1.1.12-0-g51d5e946"), or
// of Go's note of the flags it was built with (-X main.version=1.1.5). "": there is
// none; a distribution's may have another.
func RuncVersion(piece []byte) string {
	for _, mark := range []string{"1.0.0-rc", "v1.", "main.version="} {
		for rest := piece; ; {
			i := bytes.Index(rest, []byte(mark))
			if i < 0 {
				break
			}
			start := i
			switch mark {
			case "main.version=":
				start += len(mark)
			case "v1.":
				start++
			}
			if v := versionAt(rest[start:], mark); v != "" && (mark != "1.0.0-rc" || i == 0 || rest[i-1] != 'v') {
				return v
			}
			rest = rest[i+1:]
		}
	}
	return ""
}

// versionAt is the version that a piece begins with, as its mark wants it to end.
func versionAt(b []byte, mark string) string {
	end := 0
	for end < len(b) && end < 60 && isVersionByte(b[end]) {
		end++
	}
	v := string(b[:end])
	switch {
	case end == len(b) || end == 60 || end == 0:
		return ""
	case mark == "main.version=":
		return v
	case mark == "v1.":
		return described(v)
	case b[end] != 0: // a longer text
		return ""
	}
	return v
}

func isVersionByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == '-' || c == '+' || c == '~'
}

// described is the version of "1.1.12-0-g51d5e946" (git describe --long), "" for others.
func described(v string) string {
	at := bytes.LastIndex([]byte(v), []byte("-g"))
	if at < 0 || len(v)-at < 9 {
		return ""
	}
	for i := at - 1; i > 0; i-- {
		switch c := v[i]; {
		case c == '-' && i < at-1:
			return v[:i]
		case c < '0' || c > '9':
			return ""
		}
	}
	return ""
}

// PackageVersion finds a package's version in a piece of dpkg's status file:
// "Package: NAME", some lines, "Version: 1.1.5+ds1-1", an empty line. "": it is not in it.
func PackageVersion(piece []byte, name string) string {
	_, rest, found := bytes.Cut(piece, []byte("Package: "+name+"\n"))
	if !found {
		return ""
	}
	stanza, _, whole := bytes.Cut(rest, []byte("\n\n"))
	if bytes.Contains(stanza, []byte(" config-files\n")) { // only its configuration is left
		return ""
	}
	_, version, found := bytes.Cut(stanza, []byte("\nVersion: "))
	version, _, ended := bytes.Cut(version, []byte("\n"))
	if !found || !ended && !whole || len(version) > 100 {
		return ""
	}
	return string(version)
}
