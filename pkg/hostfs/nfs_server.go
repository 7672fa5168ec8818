package hostfs

import "strings"

// NFSServerLine is what a line of the kernel's log says of an NFS server.
type NFSServerLine struct {
	Name string // as the mount has it
	// Answers: it does again; else it has not within the timeout of a mount. GaveUp: who
	// asked got an error; no later line says then that it answers.
	Answers, GaveUp bool
}

// ParseNFSServer knows the lines of net/sunrpc/clnt.c, the same from 3.10 to
// today's. At most ten of one kind come in five seconds.
//
//	nfs: server nas.example.com not responding, still trying    hard mounts
//	nfs: server nas.example.com not responding, timed out       soft mounts
//	nfs: server nas.example.com OK                              hard ones only
//
// The program may be lockd or nfsacl, too.
func ParseNFSServer(text string) (l NFSServerLine, ok bool) {
	program, rest, ok := strings.Cut(text, ": server ")
	if !ok || program != "nfs" && program != "nfsacl" && program != "lockd" {
		return l, false
	}
	if l.Name, l.Answers = strings.CutSuffix(rest, " OK"); !l.Answers {
		l.Name, rest, ok = strings.Cut(rest, " not responding, ")
		l.GaveUp = ok && rest == "timed out"
	}
	return l, ok && l.Name != ""
}
