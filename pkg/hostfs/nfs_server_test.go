package hostfs

import (
	"strings"
	"testing"
)

func TestParseNFSServer(t *testing.T) {
	for line, want := range map[string]NFSServerLine{
		"nfs: server 127.0.0.1 not responding, still trying":      {Name: "127.0.0.1"},
		"nfs: server nas.example.com not responding, timed out":   {Name: "nas.example.com", GaveUp: true},
		"nfs: server fd00::7 OK":                                  {Name: "fd00::7", Answers: true},
		"lockd: server nas not responding, still trying":          {Name: "nas"},
		"nfsacl: server nas OK":                                   {Name: "nas", Answers: true},
		"nfs: server a OK not responding, still trying":           {Name: "a OK"},
		"nfs: server  not responding, still trying":               {},
		"nfs: server  OK":                                         {},
		"nfs: server nas is slow":                                 {},
		"mine: server nas not responding, still trying":           {},
		"systemd: nfs: server nas not responding, still trying":   {},
		"CIFS: VFS: \\\\nas has not responded in 180 seconds. Re": {},
		"": {},
	} {
		if got, ok := ParseNFSServer(line); ok != (want != NFSServerLine{}) || ok && got != want {
			t.Errorf("%q: got %+v, %v", line, got, ok)
		}
	}
}

func FuzzParseNFSServer(f *testing.F) {
	f.Add("nfs: server nas not responding, still trying")
	f.Add("lockd: server  OK")
	f.Fuzz(func(t *testing.T, line string) {
		if l, ok := ParseNFSServer(line); ok && (l.Name == "" || !strings.Contains(line, l.Name)) {
			t.Fatalf("%q: %+v", line, l)
		}
	})
}
