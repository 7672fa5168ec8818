package hostfs

import (
	"strings"
	"testing"
)

func statLine(comm, flags string) string {
	return "42 (" + comm + ") S 7 42 42 0 -1 " + flags + " 0 0 0 0 1 2 3 4 20 0 9 0 4711 1000 250 18446744073709551615 0 0\n"
}

func TestParseStat(t *testing.T) {
	for name, comm := range map[string]string{
		"plain":                     "java",
		"closing paren and state":   "a) R 1 (",
		"newline":                   "a\nb",
		"empty":                     "",
		"spaces":                    "tmux: server",
		"only parens":               ")))(((",
		"looks like a whole record": "x) Z 1 1 1 0 -1 0 0",
	} {
		t.Run(name, func(t *testing.T) {
			s, err := ParseStat([]byte(statLine(comm, "4194560")))
			if err != nil {
				t.Fatal(err)
			}
			if string(s.Comm) != comm || s.PID != 42 || s.State != 'S' || s.PPID != 7 || s.Threads != 9 || s.StartTicks != 4711 || s.RSSPages != 250 || s.Kernel {
				t.Errorf("got %+v, comm %q", s, s.Comm)
			}
		})
	}
}

func TestParseStatKernelThread(t *testing.T) {
	s, err := ParseStat([]byte(statLine("jbd2/vdfiw-8", "2097216")))
	if err != nil || !s.Kernel {
		t.Errorf("got %+v, %v: PF_KTHREAD is set", s, err)
	}
}

func TestParseStatRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":         "",
		"no comm":         "42 S 1",
		"no pid":          "(java) S 1 1",
		"cut short":       "42 (java) S 7 42 42",
		"state too long":  strings.Replace(statLine("x", "0"), " S ", " SS ", 1),
		"field no number": strings.Replace(statLine("x", "0"), " 4711 ", " abc ", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if s, err := ParseStat([]byte(in)); err == nil {
				t.Errorf("got %+v, want an error", s)
			}
		})
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte(statLine("a) R 1 (", "0")))
	f.Add([]byte("1 ()"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseStat(b)
		if err == nil && len(s.Comm) > len(b) {
			t.Fatal("comm longer than the line")
		}
	})
}
