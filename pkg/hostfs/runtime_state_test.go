package hostfs

import "testing"

func TestParseRuncState(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want RuntimeState
		bad  bool
	}{
		"runc":           {`{"id":"82414f","init_process_pid":4711,"init_process_start":812345,"created":"2026-11-21T10:00:00.123456789Z","config":{}}`, RuntimeState{4711, 812345, 1795255200}, false},
		"crun":           {`{"pid":17,"process-start-time":99,"created":"2026-11-21T10:00:00.1Z","bundle":"/b"}`, RuntimeState{17, 99, 1795255200}, false},
		"without a time": {`{"init_process_pid":5}`, RuntimeState{PID: 5}, false},
		"negative pid":   {`{"init_process_pid":-1}`, RuntimeState{}, false},
		"cut short":      {`{"init_process_pid":4711,`, RuntimeState{}, true},
		"wrong types":    {`{"init_process_pid":"4711"}`, RuntimeState{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseRuncState([]byte(c.text))
			if got != c.want || (err != nil) != c.bad {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func FuzzParseRuncState(f *testing.F) {
	f.Add([]byte(`{"id":"82414f","init_process_pid":4711,"init_process_start":812345,"created":"2026-11-21T10:00:00.1Z"}`))
	f.Add([]byte(`{"pid":17,"process-start-time":99}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := ParseRuncState(b); err == nil && s.PID < 0 {
			t.Errorf("%+v", s)
		}
	})
}
