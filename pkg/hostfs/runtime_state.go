package hostfs

import (
	"encoding/json"
	"fmt"
	"time"
)

// RuntimeState is what runc and crun keep of a container while it is there.
type RuntimeState struct {
	PID int
	// StartTicks is the start of that process, Process.StartTicks; 0: not said.
	StartTicks uint64
	// Created is seconds since 1970, 0: not said.
	Created int64
}

// ParseRuncState parses <root>/<id>/state.json (libcontainer's BaseState), and
// crun's "status" (libcrun_container_status_t).
//
//	{"id":"82414f…","init_process_pid":4711,"init_process_start":812345,"created":"2026-11-21T10:00:00.1Z",…}
//	{"pid":4711,"process-start-time":812345,"created":"2026-11-21T10:00:00.1Z",…}
func ParseRuncState(b []byte) (s RuntimeState, err error) {
	var f struct {
		PID       int       `json:"init_process_pid"`
		Start     uint64    `json:"init_process_start"`
		Created   time.Time `json:"created"`
		CrunPID   int       `json:"pid"`
		CrunStart uint64    `json:"process-start-time"`
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return s, fmt.Errorf("not a state of runc or crun: %w", err)
	}
	s = RuntimeState{PID: f.PID, StartTicks: f.Start}
	if s.PID == 0 {
		s.PID, s.StartTicks = f.CrunPID, f.CrunStart
	}
	if s.PID < 0 {
		s.PID = 0
	}
	if !f.Created.IsZero() {
		s.Created = f.Created.Unix()
	}
	return s, nil
}
