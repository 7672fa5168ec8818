package hostfs

import (
	"strconv"
	"strings"
)

// KernelLine is a line of the kernel's log.
type KernelLine struct {
	// Seconds since boot by the log's own clock, which nobody sets right: it may
	// be off by some minutes after months. -1: it has none (printk.time=0).
	Seconds float64
	Level   int // 0 emergency … 7 debug, -1: not said
	// FromUser: a process wrote it, through /dev/kmsg. The kernel keeps its own
	// facility, 0, from them (devkmsg_write() of kernel/printk/printk.c).
	FromUser bool
	Text     string
}

// EachKernelLine calls fn for every line of the log as syslog(2) has it, and as
// dmesg prints it. Each line of a record of several has the record's prefix.
//
//	<6>[    1.234567] text
//	<6>[    1.234567][  T123] text     CONFIG_PRINTK_CALLER
//	<30>text                           printk.time=0; facility 3: systemd
//
// A first line whose beginning is gone is left out.
func EachKernelLine(log string, fn func(KernelLine)) {
	if !strings.HasPrefix(log, "<") && strings.Contains(log, "\n<") {
		log = log[strings.Index(log, "\n<")+1:]
	}
	for line := range strings.SplitSeq(log, "\n") {
		if line != "" {
			fn(parseKernelLine(line))
		}
	}
}

func parseKernelLine(line string) KernelLine {
	l := KernelLine{Seconds: -1, Level: -1, Text: line}
	if number, rest, ok := cutBrackets(line, '<', '>'); ok {
		if n, err := strconv.ParseUint(number, 10, 16); err == nil {
			l.Level, l.FromUser, l.Text = int(n&7), n>>3 != 0, rest
		}
	}
	if stamp, rest, ok := cutBrackets(l.Text, '[', ']'); ok {
		if whole, micros, _ := strings.Cut(stamp, "."); isDecimal(whole) && isDecimal(micros) {
			if s, err := strconv.ParseFloat(stamp, 64); err == nil {
				l.Seconds, l.Text = s, rest
			}
		}
	}
	if caller, rest, ok := cutBrackets(l.Text, '[', ']'); ok && len(caller) > 1 && (caller[0] == 'T' || caller[0] == 'C') && isDecimal(caller[1:]) {
		l.Text = rest
	}
	l.Text = strings.TrimPrefix(l.Text, " ")
	return l
}

// cutBrackets: "[  12.5] x" is "12.5" and " x".
func cutBrackets(s string, open, end byte) (inside, rest string, ok bool) {
	at := strings.IndexByte(s, end)
	if at < 1 || s[0] != open {
		return "", s, false
	}
	return strings.TrimLeft(s[1:at], " "), s[at+1:], true
}
