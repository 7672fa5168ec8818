package hostfs

import (
	"slices"
	"strconv"
	"strings"
)

// oomTable is the table of tasks that may be killed: all of the cgroup at its
// limit, or of the node.
type oomTable struct {
	// width is the number of columns between the pid and the name, of which rss and
	// adj are two; 0: the head was not seen.
	width, rss, adj int
	pids            []int // of tasks and their processes
	largest         []OOMTask
}

func (t *oomTable) has(pid int) bool { return slices.Contains(t.pids, pid) }

// read takes the head or a row, whose sizes are pages:
//
//	[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name                       3.10; 4.0 adds nr_pmds, 4.15 nr_puds
//	[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name             4.16
//	[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name    6.8
//	[   7130]     0  7130      568      314       42      272         0    45056        0             0 a b
func (t *oomTable) read(text string, page uint64, most int) bool {
	first, rest, ok := cutBrackets(text, '[', ']')
	if !ok {
		return false
	}
	if strings.TrimSpace(first) == "pid" {
		columns := strings.Fields(rest)
		if n := len(columns); n > 1 && columns[n-1] == "name" && slices.Index(columns, "tgid") == 1 {
			*t = oomTable{width: n - 1, rss: slices.Index(columns, "rss"), adj: slices.Index(columns, "oom_score_adj")}
		}
		return true
	}
	pid, ok := parsePID([]byte(first))
	if !ok || t.width == 0 || t.rss < 0 || t.adj < 0 {
		return false
	}
	values := make([]int64, t.width)
	for i := range values {
		number, after, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return false
		}
		values[i], rest = n, after
	}
	task := OOMTask{PID: int(values[1]), Comm: rest, RSS: uint64(max(values[t.rss], 0)) * page, ScoreAdj: int(values[t.adj])}
	t.pids = append(t.pids, pid, task.PID)
	t.keep(task, most)
	return true
}

// keep holds the largest, the largest first. What slices has for it costs more.
func (t *oomTable) keep(task OOMTask, most int) {
	if len(t.largest) < most {
		t.largest = append(t.largest, task)
	} else if most == 0 || t.largest[most-1].RSS >= task.RSS {
		return
	}
	at := len(t.largest) - 1
	for ; at > 0 && t.largest[at-1].RSS < task.RSS; at-- {
		t.largest[at] = t.largest[at-1]
	}
	t.largest[at] = task
}
