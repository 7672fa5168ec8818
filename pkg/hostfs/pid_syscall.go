package hostfs

import (
	"bytes"
	"strconv"
)

// Syscall is what a thread that waits in the kernel has called, from
// /proc/PID/task/TID/syscall (Documentation/filesystems/proc.rst): number, six
// arguments, stack pointer, program counter.
//
//	1 0x4 0xc000142000 0x1000 0x0 0x0 0x0 0x7ffd… 0x7f…
//	-1 0x7ffd… 0x7f…     waits, and not in a system call
//	running              neither
type Syscall struct {
	Number int
	Args   [6]uint64
}

// ParseSyscall parses its content; ok is false where the thread is in no call.
func ParseSyscall(b []byte) (s Syscall, ok bool) {
	f := bytes.Fields(b)
	if len(f) < 7 {
		return s, false
	}
	n, err := strconv.Atoi(string(f[0]))
	if err != nil || n < 0 {
		return s, false
	}
	s.Number = n
	for i := range s.Args {
		digits, hex := bytes.CutPrefix(f[i+1], []byte("0x"))
		if s.Args[i], err = strconv.ParseUint(string(digits), 16, 64); err != nil || !hex {
			return s, false
		}
	}
	return s, true
}

// FD is the descriptor that a call reads from or writes to, by its first argument;
// -1 where that cannot be one.
func (s Syscall) FD() int {
	const most = 1 << 30 // sysctl_nr_open_max of fs/file.c is below
	if uint32(s.Args[0]) >= most {
		return -1
	}
	return int(uint32(s.Args[0])) // the kernel takes an unsigned int of it
}

// WchanUntold says that the kernel does not tell where a thread waits. On x86, kernels from 4.14
// to 5.15 say "0" of every thread where they were built with the ORC unwinder, as
// most distributions do, since get_wchan() followed frame pointers.
func WchanUntold(wchan string) bool { return wchan == "0" }

// PipeWait tells from the kernel function that a thread waits in whether it waits
// for the other end of a pipe, and for what: "write", "read", "open" (of a FIFO,
// for somebody at the other end), "" for both of the first two, on kernels before
// 5.5, which had one function for both.
//
//	pipe_wait        to 5.4
//	pipe_read, pipe_write
//	anon_pipe_read, anon_pipe_write, fifo_pipe_read, fifo_pipe_write   since 6.15
//	fifo_open, wait_for_partner
func PipeWait(wchan string) (op string, ok bool) {
	name, _, _ := bytes.Cut([]byte(wchan), []byte(".")) // "pipe_write.part.0"
	switch string(name) {
	case "pipe_wait", "pipe_wait_readable", "pipe_wait_writable":
		return map[string]string{"pipe_wait_readable": "read", "pipe_wait_writable": "write"}[string(name)], true
	case "pipe_read", "anon_pipe_read", "fifo_pipe_read":
		return "read", true
	case "pipe_write", "anon_pipe_write", "fifo_pipe_write":
		return "write", true
	case "fifo_open", "wait_for_partner":
		return "open", true
	}
	return "", false
}
