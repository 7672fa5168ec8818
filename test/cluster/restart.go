package main

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// restart starts a component of the control plane again, whether somebody has killed it or not.
func restart(ctx context.Context, l layout, p progress, name string) error {
	s, err := loadState(l)
	if err != nil {
		return err
	}
	d, err := s.component(name)
	if err != nil {
		return err
	}
	// The process ID may be another's by now.
	if found, err := readStatus(d.PID); err == nil && d.runs(found) {
		if err := syscall.Kill(d.PID, syscall.SIGKILL); err != nil {
			return fmt.Errorf("failed to kill %s: %w", name, err)
		}
		for alive(d.PID) {
			time.Sleep(10 * time.Millisecond)
		}
	}
	started, err := startOnHost(l, component{name: name, args: d.Args[1:]})
	if err != nil {
		return err
	}
	*d = started
	if err := s.save(l); err != nil {
		return err
	}
	client, err := newAPI(l)
	if err != nil {
		return err
	}
	if err := await(ctx, "the API server", time.Minute, []daemon{*d}, client.ready); err != nil {
		return err
	}
	p.say("%s runs again, as process %d", name, d.PID)
	return nil
}

// runs compares names the way that the kernel keeps them, cut to 15 bytes.
func (d daemon) runs(found status) bool {
	return found.command == d.Name[:min(15, len(d.Name))]
}
