package vm

import (
	"fmt"
	"io"
)

// As in st_mode.
const (
	modeDirectory = 0o040000
	modeFile      = 0o100000
)

// cpio writes the "newc" format, the one that the kernel unpacks: for each entry a header of thirteen 8-digit
// hexadecimal numbers after the magic one,
//
//	070701 ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
//
// then its name with a zero byte, then its content, each filled up to a multiple of four bytes.
type cpio struct {
	out     io.Writer
	entries int
	err     error // the first one; nothing is written after it
}

func (c *cpio) add(name string, mode uint32, content []byte) {
	c.entries++
	header := "070701"
	for _, field := range []uint32{
		uint32(c.entries), mode, 0, 0, 1, 0, uint32(len(content)), 0, 0, 0, 0, uint32(len(name) + 1), 0,
	} {
		header += fmt.Sprintf("%08X", field)
	}
	c.write(padded([]byte(header + name + "\x00")))
	c.write(padded(content))
}

func (c *cpio) write(b []byte) {
	if c.err == nil {
		_, c.err = c.out.Write(b)
	}
}

func padded(b []byte) []byte {
	return append(b[:len(b):len(b)], make([]byte, -len(b)&3)...)
}
