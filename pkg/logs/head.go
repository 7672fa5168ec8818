package logs

import (
	"encoding/json"
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
	message       string
}

// parse takes a line apart, in the forms of the kubelet, the runtimes and syslog(3).
//
//	I1122 06:35:55.123456     326 kubelet.go:2400] "Message" key="value"                 klog
//	time="2026-11-22T06:35:55.12Z" level=error msg="message" error="why"                 containerd, dockerd, cri-o
//	{"ts":1763793355123.4,"caller":"a.go:1","msg":"message","err":"why"}                 kubelet --logging-format=json
//	Nov 22 06:35:55 node-7 kubelet[326]: …                                               syslog, any of these behind it
//	2026-11-22T06:35:55.123456+00:00 node-7 kubelet[326]: …
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
		return h
	}
	if h, ok := parseJSON(line); ok {
		return h
	}
	return head{message: line}
}

var (
	klogHead   = regexp.MustCompile(`^([IWEF])(\d{4} \d\d:\d\d:\d\d\.\d{1,9}) +\d+ ([^\s\]]+:\d+)\] ?`)
	syslogHead = regexp.MustCompile(`^([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S{8,30}) \S+ [^\s\[:]+(?:\[\d+\])?: `)
)

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
		return h, line
	}
	if at, err := time.Parse(time.RFC3339Nano, m[1]); err == nil {
		h.at = at
	} else if at, err := time.Parse(time.Stamp, m[1]); err == nil {
		h.at, h.local, h.noYear = at, true, true
	}
	return h, line[len(m[0]):]
}

// parseLogfmt reads key=value pairs, of which there must be a msg.
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
			h.at, _ = time.Parse(time.RFC3339Nano, value)
		case "level":
			h.level = levelOf(value)
		case "msg":
			h.message, ok = value, true
		case "":
			return head{}, false
		default:
			others = append(others, key+"="+strconv.Quote(value))
		}
	}
	h.message = strings.Join(append([]string{h.message}, others...), " ")
	return h, ok
}

// nextPair cuts key=value or key="quoted \" value" off.
func nextPair(s string) (key, value, rest string) {
	key, rest, ok := strings.Cut(s, "=")
	if !ok || strings.ContainsAny(key, ` "`) {
		return "", "", ""
	}
	if n := quotedLength(rest); n > 0 {
		value, rest = unquote(rest[:n]), rest[n:]
	} else {
		value, rest, _ = strings.Cut(rest, " ")
		return key, value, strings.TrimLeft(rest, " ")
	}
	return key, value, strings.TrimLeft(rest, " ")
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

// unquote takes the quotes off, and one level of backslashes before quotes.
func unquote(s string) string {
	s = strings.TrimPrefix(s, `"`)
	s = strings.TrimSuffix(s, `"`)
	return strings.ReplaceAll(s, `\"`, `"`)
}

func parseJSON(line string) (h head, ok bool) {
	if !strings.HasPrefix(line, "{") {
		return h, false
	}
	var fields map[string]any
	if json.Unmarshal([]byte(line), &fields) != nil {
		return h, false
	}
	h.message, ok = fields["msg"].(string)
	if !ok {
		return head{}, false
	}
	h.level = Info
	if level, said := fields["level"].(string); said {
		h.level = levelOf(level)
	}
	if why, failed := fields["err"].(string); failed {
		h.message, h.level = h.message+" err="+strconv.Quote(why), Error
	}
	if ts, said := fields["ts"].(float64); said && ts > 0 && ts < 1e14 { // milliseconds
		h.at = time.UnixMicro(int64(ts * 1000)).UTC()
	}
	return h, true
}

func levelOf(word string) string {
	switch strings.ToLower(word) {
	case "fatal", "panic", "error", "err", "critical", "crit":
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
