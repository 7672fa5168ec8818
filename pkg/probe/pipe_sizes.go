//go:build linux

package probe

import (
	"context"
	"errors"
	"sort"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

const (
	// usualPages are those of a pipe that nobody has changed (PIPE_DEF_BUFFERS), and
	// smallPages those of one whose user is over the limit (PIPE_MIN_DEF_BUFFERS).
	usualPages, smallPages = 16, 2
	// maxSizedPipes are asked for their capacity, some 3 µs each.
	maxSizedPipes = 50_000
)

// sizes asks for the capacity of the pipes of users that may be near the limit:
// with fewer than half of it at the usual size, nothing of theirs can be small by
// the limit.
func (p *pipes) sizes(ctx context.Context) {
	if p.out.UserPagesSoft == nil || *p.out.UserPagesSoft == 0 {
		return
	}
	perUser := map[int]uint64{}
	for i := range p.known {
		perUser[p.userOf(i)] += usualPages
	}
	var wanted []int
	for i := range p.known {
		if perUser[p.userOf(i)] >= *p.out.UserPagesSoft/2 {
			wanted = append(wanted, i)
		}
	}
	if len(wanted) > maxSizedPipes {
		p.bad.add("capacity of pipes", errTooMany)
		wanted = wanted[:maxSizedPipes]
	}
	sort.SliceStable(wanted, func(i, j int) bool { return p.known[wanted[i]].process < p.known[wanted[j]].process })
	for len(wanted) > 0 && ctx.Err() == nil {
		process, n := p.known[wanted[0]].process, 1
		for n < len(wanted) && p.known[wanted[n]].process == process {
			n++
		}
		if err := p.sizesOf(int(process), wanted[:n]); err != nil && !hostfs.Gone(err) {
			p.bad.add("capacity of pipes", err)
			if errors.Is(err, errors.ErrUnsupported) { // an old kernel, or a filter
				return
			}
		}
		wanted = wanted[n:]
	}
}

func (p *pipes) userOf(pipe int) int {
	return *p.report.Processes.List[p.known[pipe].process].UID
}

// sizesOf asks for those pipes that were met in one process.
func (p *pipes) sizesOf(process int, which []int) error {
	pid := p.report.Processes.List[process].PID
	sizes, err := hostfs.OpenPipeSizes(p.proc, pid)
	if err != nil {
		return err
	}
	defer sizes.Close()
	for _, i := range which {
		capacity, _, err := sizes.Size(int(p.known[i].fd), p.isPipe(i))
		switch {
		case errors.Is(err, hostfs.ErrOtherFile), hostfs.Gone(err): // closed meanwhile
		case err != nil:
			return err
		default:
			p.addSize(i, capacity/p.out.PageBytes)
		}
	}
	return nil
}

// isPipe says whether a link's text is still that of the pipe.
func (p *pipes) isPipe(pipe int) func(link []byte) bool {
	return func(link []byte) bool {
		key, ok := keyOfPipe(link)
		return ok && p.of[key] == pipe
	}
}

func (p *pipes) addSize(pipe int, pages uint64) {
	small := 0
	if pages <= smallPages {
		small = 1
	}
	user := p.sized[p.userOf(pipe)]
	user.Known++
	user.Pages += pages
	user.Small += small
	p.sized[p.userOf(pipe)] = user
	for _, h := range p.known[pipe].holders {
		sum := &p.holders[h].PipeSum
		sum.Known++
		sum.Pages += pages
		sum.Small += small
	}
}
