package hostfs

import (
	"strconv"
	"strings"
)

// HungTask is what khungtaskd has said of a task (kernel/hung_task.c): that for
// so long it was in uninterruptible sleep without being switched to.
type HungTask struct {
	Comm    string
	TID     int
	Seconds int64
}

// ParseHungTask parses a line of the kernel's log. A name may hold colons.
//
//	INFO: task jbd2/vdb-8:123 blocked for more than 122 seconds.
//	INFO: task java:4711 blocked in I/O wait for more than 122 seconds.
func ParseHungTask(text string) (h HungTask, ok bool) {
	rest, ok := strings.CutPrefix(text, "INFO: task ")
	at := strings.LastIndex(rest, " blocked ")
	if !ok || at < 0 {
		return h, false
	}
	task, how := rest[:at], rest[at:]
	colon := strings.LastIndexByte(task, ':')
	_, how, ok = strings.Cut(how, " for more than ")
	if !ok || colon < 0 {
		return h, false
	}
	tid, isPID := parsePID([]byte(task[colon+1:]))
	number, unit, _ := strings.Cut(how, " ")
	seconds, err := strconv.ParseInt(number, 10, 32)
	if !isPID || err != nil || !strings.HasPrefix(unit, "seconds") {
		return h, false
	}
	return HungTask{Comm: task[:colon], TID: tid, Seconds: seconds}, true
}
