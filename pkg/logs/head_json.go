package logs

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// parseJSON reads a line of the kubelet's, of zap's or of logrus':
//
//	{"ts":1763793355123.4,"caller":"a.go:1","msg":"message","v":0}     no "v": an error
//	{"level":"error","ts":"2026-11-22T06:35:55.123Z","msg":"message","error":"why"}
//	{"level":"FATAL","message":"message"}                               the kubelet, as it gives up
//	{"level":"warning","msg":"message","time":"2026-11-22T06:35:55Z"}
func parseJSON(line string) (h head, ok bool) {
	if !strings.HasPrefix(line, "{") {
		return h, false
	}
	var fields map[string]any
	if json.Unmarshal([]byte(line), &fields) != nil {
		return h, false
	}
	if h.message, ok = fields["msg"].(string); !ok {
		h.message, ok = fields["message"].(string)
	}
	if !ok {
		return head{}, false
	}
	failed := false
	for _, key := range []string{"err", "error"} {
		if why, said := fields[key].(string); said && why != "" {
			h.message, failed = h.message+" "+key+"="+strconv.Quote(why), true
		}
	}
	ts, number := fields["ts"].(float64)
	_, verbosity := fields["v"]
	switch level, said := fields["level"].(string); {
	case said:
		h.level = levelOf(level)
	case failed, number && !verbosity:
		h.level = Error
	default:
		h.level = Info
	}
	if h.at = jsonNumberTime(ts); h.at.IsZero() {
		h.at = jsonTime(fields)
	}
	return h, true
}

// jsonNumberTime: the kubelet gives milliseconds, zap by itself seconds.
func jsonNumberTime(ts float64) time.Time {
	const earliest = 1e11 // milliseconds: of 1973; seconds: of the year 5138
	switch {
	case !(ts > 0 && ts < 1e14):
		return time.Time{}
	case ts < earliest:
		ts *= 1000
	}
	return time.UnixMicro(int64(ts * 1000)).UTC()
}

func jsonTime(fields map[string]any) time.Time {
	for _, key := range []string{"ts", "time"} {
		text, _ := fields[key].(string)
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999-0700"} {
			if at, err := time.Parse(layout, text); err == nil {
				return at
			}
		}
	}
	return time.Time{}
}
