package hostfs

import "testing"

func TestParseSyscall(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		ok   bool
		nr   int
		fd   int
	}{
		"a write":                {"1 0x4 0xc000142000 0x1000 0x0 0x0 0x0 0x7ffd1c4a5a30 0x47e3ee\n", true, 1, 4},
		"running":                {"running\n", false, 0, 0},
		"waits outside a call":   {"-1 0x7ffd1c4a5a30 0x47e3ee\n", false, 0, 0},
		"descriptor of all ones": {"0 0xffffffffffffffff 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n", true, 0, -1},
		"only its low 32 bits":   {"0 0xdeadbeef00000007 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n", true, 0, 7},
		"cut short":              {"1 0x4 0xc0001", false, 0, 0},
		"not hexadecimal":        {"1 4 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n", false, 0, 0},
		"empty":                  {"", false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, ok := ParseSyscall([]byte(c.text))
			if ok != c.ok || ok && (s.Number != c.nr || s.FD() != c.fd) {
				t.Errorf("got %+v, %v, descriptor %d", s, ok, s.FD())
			}
		})
	}
}

func TestPipeWait(t *testing.T) {
	for wchan, want := range map[string]string{
		"pipe_write": "write", "anon_pipe_write": "write", "fifo_pipe_write": "write", "pipe_write.part.0": "write", "pipe_wait_writable": "write",
		"pipe_read": "read", "anon_pipe_read": "read", "pipe_wait_readable": "read", "pipe_wait": "", "fifo_open": "open", "wait_for_partner": "open",
	} {
		if op, ok := PipeWait(wchan); !ok || op != want {
			t.Errorf("%s: %q, %v", wchan, op, ok)
		}
	}
	for _, wchan := range []string{"", "0", "futex_wait_queue", "pipe_writer", "do_wait"} {
		if op, ok := PipeWait(wchan); ok {
			t.Errorf("%s is %q of a pipe", wchan, op)
		}
	}
}

func FuzzParseSyscall(f *testing.F) {
	f.Add([]byte("1 0x4 0xc000142000 0x1000 0x0 0x0 0x0 0x7ffd1c4a5a30 0x47e3ee\n"))
	f.Add([]byte("running\n"))
	f.Add([]byte("-1 0x7ffd1c4a5a30 0x47e3ee\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, ok := ParseSyscall(b); ok && (s.Number < 0 || s.FD() < -1) {
			t.Errorf("%+v", s)
		}
	})
}
