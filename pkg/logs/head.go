package logs

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Levels of a line.
const (
	Error   = "error"
	Warning = "warning"
	Info    = "info"
)

// head is what stands before a message, or around it.
type head struct {
	at time.Time // zero: not said
	// local: at has the node's wall clock without a zone, noYear: and the year 0.
	local, noYear bool
	level         string // "": not said
	message       string // with what else is said
	msg           string // alone, of logfmt
}

// parse takes a line apart, in the forms of the kubelet, the runtimes and syslog(3).
//
//	I1122 06:35:55.123456     326 kubelet.go:2400] "Message" key="value"                 klog
//	time="2026-11-22T06:35:55.12Z" level=error msg="message" error="why"                 containerd, dockerd, cri-o
//	time="2026-11-22 06:35:55" level=info msg="any of these" component=kubelet           k0s, of those that it runs
//	{"ts":1763793355123.4,"caller":"a.go:1","msg":"message","err":"why"}                 kubelet --logging-format=json
//	Nov 22 06:35:55 node-7 kubelet[326]: …                                               syslog, any of these behind it
//	Nov 22 06:35:55 node-7 daemon.info kubelet[326]: …                                   busybox's
//	2026-11-22T06:35:55.123456+00:00 node-7 kubelet[326]: …
//	<30>1 2026-11-22T06:35:55.123456+00:00 node-7 kubelet 326 - - …                      RFC 5424
func parse(line string) head {
	outer, rest := parseSyslog(line)
	inner := parseOwn(rest)
	if inner.at.IsZero() {
		inner.at, inner.local, inner.noYear = outer.at, outer.local, outer.noYear
	}
	return inner
}

func parseOwn(line string) head {
	if h, ok := parseKlog(line); ok {
		return h
	}
	if h, ok := parseLogfmt(line); ok {
		return unwrap(h)
	}
	if h, ok := parseJSON(line); ok {
		return h
	}
	return head{message: line}
}

var (
	klogHead   = regexp.MustCompile(`^([IWEF])(\d{4} \d\d:\d\d:\d\d\.\d{1,9}) +\d+ ([^\s\]]+:\d+)\] ?`)
	syslogHead = regexp.MustCompile(`^([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?|\d{4}-\d\d-\d\dT\S{8,30}) \S+ (?:[a-z0-9]+\.[a-z]+ )?[^\s\[:]+(?:\[\d+\])?: `)
	rfc5424    = regexp.MustCompile(`^<\d{1,3}>1 (\S+) \S+ \S+ \S+ \S+ (?:-|(?:\[(?:[^\]\\]|\\.)*\])+) ?`)
)

// unwrap is for a message that has a head of its own, which tells the level; k0s
// calls all that the kubelet says "info".
func unwrap(outer head) head {
	inner, ok := parseKlog(outer.msg)
	if !ok {
		inner, ok = parseLogfmt(outer.msg)
	}
	if !ok {
		return outer
	}
	if inner.at.IsZero() {
		inner.at, inner.local, inner.noYear = outer.at, outer.local, outer.noYear
	}
	return inner
}

func parseKlog(line string) (h head, ok bool) {
	m := klogHead.FindStringSubmatch(line)
	if m == nil {
		return h, false
	}
	h = head{local: true, noYear: true, message: line[len(m[0]):], level: map[string]string{"I": Info, "W": Warning}[m[1]]}
	if h.level == "" {
		h.level = Error
	}
	if at, err := time.Parse("0102 15:04:05.999999999", m[2]); err == nil {
		h.at = at
	}
	return h, true
}

func parseSyslog(line string) (h head, rest string) {
	m := syslogHead.FindStringSubmatch(line)
	if m == nil {
		m = rfc5424.FindStringSubmatch(line)
	}
	if m == nil {
		return h, line
	}
	if at, err := time.Parse(time.RFC3339Nano, m[1]); err == nil {
		h.at = at
	} else if at, err := time.Parse(time.Stamp, m[1]); err == nil {
		h.at, h.local, h.noYear = at, true, true
	}
	return h, line[len(m[0]):]
}

// parseLogfmt reads key=value pairs, of which there must be a level or msg.
func parseLogfmt(line string) (h head, ok bool) {
	if !strings.HasPrefix(line, "time=") && !strings.HasPrefix(line, "level=") {
		return h, false
	}
	var others []string
	for rest := line; rest != ""; {
		var key, value string
		key, value, rest = nextPair(rest)
		switch key {
		case "time":
			var err error
			if h.at, err = time.Parse(time.RFC3339Nano, value); err != nil {
				h.at, err = time.Parse(time.DateTime, value)
				h.local = err == nil
			}
		case "level":
			h.level, ok = levelOf(value), true
		case "msg":
			h.msg, ok = value, true
		case "":
			return head{}, false
		default:
			others = append(others, key+"="+strconv.Quote(value))
		}
	}
	h.message = strings.TrimPrefix(strings.Join(append([]string{h.msg}, others...), " "), " ")
	return h, ok
}

// nextPair cuts key=value or key="quoted \" value" off.
func nextPair(s string) (key, value, rest string) {
	key, rest, ok := strings.Cut(s, "=")
	if !ok || strings.ContainsAny(key, ` "`) {
		return "", "", ""
	}
	if n := valueLength(rest); n > 0 {
		value, rest = unquote(rest[:n]), rest[n:]
	} else {
		value, rest, _ = strings.Cut(rest, " ")
		return key, value, strings.TrimLeft(rest, " ")
	}
	return key, value, strings.TrimLeft(rest, " ")
}

var followed = regexp.MustCompile(`^(?:$| [\w.-]+=)`)

// valueLength is quotedLength of a value in logfmt, which ends where another pair
// begins: containerd to 1.5 wrote msg="loading plugin "x"..." type=y.
func valueLength(s string) int {
	n := quotedLength(s)
	for end := n; n > 0 && end < len(s); {
		if followed.MatchString(s[end:]) {
			return end
		}
		more := strings.IndexByte(s[end:], '"')
		if more < 0 {
			break
		}
		end += more + 1
	}
	return n
}

// quotedLength is the length of the quoted string that s starts with, 0 for none. One
// that was cut off reaches to the end.
func quotedLength(s string) int {
	if s == "" || s[0] != '"' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// unquote takes the quotes off, and one level of backslashes before quotes and
// backslashes.
func unquote(s string) string {
	s = strings.TrimPrefix(s, `"`)
	s = strings.TrimSuffix(s, `"`)
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(s)
}

func levelOf(word string) string {
	switch strings.ToLower(word) {
	case "fatal", "panic", "dpanic", "error", "err", "critical", "crit":
		return Error
	case "warning", "warn":
		return Warning
	}
	return Info
}

// levelOfPriority is that of syslog(3).
func levelOfPriority(p int) string {
	switch {
	case p <= 3:
		return Error
	case p == 4:
		return Warning
	}
	return Info
}
