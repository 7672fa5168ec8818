package correlate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// PipeWait is a thread that waits for the other end of a pipe.
type PipeWait struct {
	Owner   Owner  `json:"owner"`
	PID     int    `json:"pid"`
	TID     int    `json:"tid"`
	Comm    string `json:"comm"`
	Cmdline string `json:"cmdline,omitempty"`
	// Runtime names the part of a container's life that a runtime's program is at:
	// "runc init", "runc exec", "shim"; "" for all others.
	Runtime string `json:"runtime,omitempty"`
	// Op is write, read or open, Wchan the kernel function that it waits in; "": the
	// kernel does not say.
	Op    string `json:"op"`
	Wchan string `json:"wchan,omitempty"`
	FD    *int   `json:"fd,omitempty"`
	// StayedSeconds is for how long it has waited at least, as seen; 0: it ran in
	// between. AgeSeconds is how long ago the process started.
	StayedSeconds float64 `json:"stayedSeconds"`
	AgeSeconds    float64 `json:"ageSeconds"`
	// Pipe is what it waits for; nil where the kernel does not tell.
	Pipe *PipeState `json:"pipe,omitempty"`
}

// PipeState is one pipe.
type PipeState struct {
	// Name is "pipe:[40231]", or a FIFO's path.
	Name string `json:"name"`
	// Capacity and Filled are bytes; nil: not known.
	Capacity *uint64 `json:"capacity,omitempty"`
	Filled   *uint64 `json:"filled,omitempty"`
	// Pages is Capacity; 0: not known.
	Pages uint64 `json:"pages,omitempty"`
	// Small: it has two pages or fewer.
	Small bool `json:"small,omitempty"`
	// Full: less than a page is left, so that a larger write waits.
	Full bool `json:"full,omitempty"`
	// Ends are its descriptors; EndsLeft were not listed.
	Ends     []PipeEnd `json:"ends"`
	EndsLeft int       `json:"endsLeft,omitempty"`
}

// PipeEnd is a descriptor of a pipe.
type PipeEnd struct {
	Owner Owner  `json:"owner"`
	PID   int    `json:"pid"`
	Comm  string `json:"comm"`
	FD    int    `json:"fd"`
	Read  bool   `json:"read,omitempty"`
	Write bool   `json:"write,omitempty"`
}

func (n *Node) pipeWaits() []PipeWait {
	r := n.Report.Pipes
	waits := make([]PipeWait, 0, len(r.Waits))
	for _, w := range r.Waits {
		row := PipeWait{Owner: Owner{Type: OwnerUnknown}, PID: w.PID, TID: w.TID, Comm: w.Comm, Op: w.Op, Wchan: w.Wchan, FD: w.FD,
			StayedSeconds: float64(w.StayedMillis) / 1000}
		if p := n.processes[w.PID]; p != nil {
			row.Owner, row.Cmdline, row.AgeSeconds = n.Blame(p).Owner, p.Cmdline, n.age(p)
			row.Runtime = runtimePhase(p)
		}
		if w.Pipe >= 0 && w.Pipe < len(r.List) {
			row.Pipe = n.pipeState(r.List[w.Pipe])
		}
		waits = append(waits, row)
	}
	slices.SortStableFunc(waits, func(a, b PipeWait) int {
		return cmp.Or(boolOrder(a.Runtime != "", b.Runtime != ""), cmp.Compare(b.StayedSeconds, a.StayedSeconds), cmp.Compare(b.AgeSeconds, a.AgeSeconds), a.PID-b.PID, a.TID-b.TID)
	})
	return waits
}

// boolOrder sorts true first.
func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// runtimePhase tells a container runtime's programs by what they call themselves.
// libcontainer's nsexec names its stages runc:[0:PARENT], runc:[1:CHILD] and
// runc:[2:INIT], and runs /proc/self/exe with the argument "init".
func runtimePhase(p *report.Process) string {
	words := strings.Fields(p.Cmdline)
	program := ""
	if len(words) > 0 {
		program = words[0][strings.LastIndexByte(words[0], '/')+1:]
	}
	isRunc := strings.Contains(program, "runc") || program == "crun" || program == "exe" || strings.HasPrefix(p.Comm, "runc") || p.Comm == "crun"
	switch {
	case strings.HasPrefix(p.Comm, "runc:["), isRunc && slices.Contains(words, "init"):
		return "runc init"
	case isRunc && slices.Contains(words, "exec"):
		return "runc exec"
	case isRunc && slices.Contains(words, "create"):
		return "runc create"
	case isRunc && program != "exe":
		return "runc"
	case p.Shim != nil:
		return "shim"
	}
	return ""
}

func (n *Node) pipeState(p report.Pipe) *PipeState {
	s := &PipeState{Name: cmp.Or(p.Path, fmt.Sprintf("pipe:[%d]", p.Inode)), Capacity: p.Capacity, Filled: p.Filled, EndsLeft: p.EndsLeft, Ends: []PipeEnd{}}
	if page := n.Report.Pipes.PageBytes; p.Capacity != nil && page > 0 {
		s.Pages = *p.Capacity / page
		s.Small = s.Pages <= 2
		s.Full = p.Filled != nil && *p.Capacity < *p.Filled+page
	}
	for _, e := range p.Ends {
		end := PipeEnd{Owner: Owner{Type: OwnerUnknown}, PID: e.PID, FD: e.FD, Read: e.Read, Write: e.Write}
		if process := n.processes[e.PID]; process != nil {
			end.Owner, end.Comm = n.Blame(process).Owner, process.Comm
		}
		s.Ends = append(s.Ends, end)
	}
	return s
}
