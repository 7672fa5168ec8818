//go:build e2e

package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// sampler asks a node for its amounts again and again, as fast as it answers, and
// keeps the least and the most of each: a number that was true at some moment in
// between lies between them, whatever else the machine does meanwhile.
type sampler struct {
	start       time.Time
	least, most amounts
	samples     int
	enough      chan struct{}
	done        chan error
}

// amountsScript has what free(1), /proc/meminfo and the root memory cgroup say.
const amountsScript = `free -b | awk '/^Mem:/ { print "total", $2; print "free", $4; print "available", $7 }'
awk '/^(Slab|PageTables|Shmem):/ { printf "%s %.0f\n", $1, $2 * 1024 }' /proc/meminfo
cd /sys/fs/cgroup/memory 2>/dev/null && { echo "usage $(cat memory.usage_in_bytes)"; grep ^total_inactive_file memory.stat; } || { cd /sys/fs/cgroup && grep ^inactive_file memory.stat; }`

// sampleNode starts one; its finish ends it.
func sampleNode(t *testing.T, node string) *sampler {
	t.Helper()
	c := cluster.Shell(t.Context(), node, "sh", "-c", "while read -r next; do "+amountsScript+"\necho end; done")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	s := &sampler{start: time.Now(), least: amounts{}, most: amounts{}, enough: make(chan struct{}), done: make(chan error, 1)}
	go func() {
		err := s.sample(in, bufio.NewScanner(out))
		s.done <- errors.Join(err, in.Close(), c.Wait())
	}()
	return s
}

// sample asks until there is enough, and once more then.
func (s *sampler) sample(in io.Writer, out *bufio.Scanner) error {
	for last := false; ; {
		select {
		case <-s.enough:
			last = true
		default:
		}
		if _, err := io.WriteString(in, "next\n"); err != nil {
			return err
		}
		said := ""
		for out.Scan() && out.Text() != "end" {
			said += out.Text() + "\n"
		}
		if out.Text() != "end" {
			return fmt.Errorf("it ended after %q: %w", said, out.Err())
		}
		a, err := readAmounts(said)
		if err != nil {
			return err
		}
		s.add(a)
		if last {
			return nil
		}
	}
}

func (s *sampler) add(a amounts) {
	if usage, ok := a["usage"]; ok { // the root of cgroup v2 has none
		a["memory.available"] = a["total"] - (usage - a["inactive_file"])
	}
	for name, n := range a {
		if s.samples == 0 {
			s.least[name], s.most[name] = n, n
		}
		s.least[name], s.most[name] = min(s.least[name], n), max(s.most[name], n)
	}
	s.samples++
}

// finish ends it with one more sample.
func (s *sampler) finish(t *testing.T) {
	t.Helper()
	close(s.enough)
	if err := <-s.done; err != nil {
		t.Fatal(err)
	}
	t.Logf("%d samples in %s", s.samples, time.Since(s.start).Round(time.Millisecond))
}

// saw checks that a number was among those that there were, give or take what
// changes between two samples.
func (s *sampler) saw(t *testing.T, what, name string, got uint64, slack uint64) {
	t.Helper()
	if _, ok := s.least[name]; !ok {
		t.Errorf("%s: nobody says %s", what, name)
		return
	}
	between(t, what, got, s.least[name], s.most[name], slack)
}

// readAmounts reads lines of a name and a number.
func readAmounts(said string) (amounts, error) {
	a := amounts{}
	for line := range strings.Lines(said) {
		var name string
		var n uint64
		if _, err := fmt.Sscan(line, &name, &n); err != nil {
			return nil, fmt.Errorf("%w in %q", err, said)
		}
		a[strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(name, "total_"), ":"))] = n
	}
	return a, nil
}
