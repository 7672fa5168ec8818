//go:build linux

package probe

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

// On a sick node a read of /proc may never return: the process waits in an
// execve for a filesystem whose server is dead, or its memory is backed by one.
// Then everybody who reads it waits, too. So each collector is watched: where
// one system call takes too long, the collector is left behind, all processes
// are tried, and it begins anew without those that do not answer.
const (
	// stuckAfter is long for a system call, also on a node without a free core.
	stuckAfter = 2 * time.Second
	// findPatience is for all of those that are tried, side by side.
	findPatience = time.Second
	// maxAttempts: processes may block while others are being tried.
	maxAttempts = 4
)

var errStuck = errors.New("gave up: reads of /proc do not return, and it is not certain which")

// outcome of one attempt.
type outcome struct {
	publish publish
	err     error
}

// attempt runs c once; ok is false where it got stuck and was left behind.
func (c collector) attempt(ctx context.Context, r run) (res outcome, ok bool) {
	ctx, cancel := context.WithCancel(ctx) // whoever is left behind shall not go on once it can
	defer cancel()
	guard := r.silence.Guard()
	r.fs.Guard = guard
	done := make(chan outcome, 1)
	go func() {
		p, err := c.collect(ctx, r)
		done <- outcome{p, err}
	}()
	tick := time.NewTicker(stuckAfter / 4)
	defer tick.Stop()
	var last uint64
	since := time.Now()
	for {
		select {
		case res := <-done:
			return res, true
		case <-ctx.Done():
			return outcome{err: context.Cause(ctx)}, true
		case now := <-tick.C:
			call, under := guard.Under()
			if !under || call != last {
				last, since = call, now
			} else if now.Sub(since) >= stuckAfter {
				leave(r.silence, guard, done)
				return outcome{}, false
			}
		}
	}
}

// leave notes what somebody waits for, until the wait is over.
func leave(silence *hostfs.Silence, guard *hostfs.Guard, done <-chan outcome) {
	pid, what := guard.At()
	if pid == 0 {
		return
	}
	silence.Add(pid, what)
	go func() {
		<-done
		silence.Remove(pid, what)
	}()
}

// findSilent finds out who does not answer. The host's own processes are tried
// first: who blocks many of a pod's shall not hide those.
func findSilent(ctx context.Context, fs hostfs.FS, silence *hostfs.Silence) {
	found := make(chan struct{})
	go func() {
		defer close(found)
		silence.Find(fs, hostFirst(fs), findPatience, ctx.Done())
	}()
	select {
	case <-found:
	case <-ctx.Done():
	}
}

// hostFirst are all processes, those of pods last.
func hostFirst(fs hostfs.FS) []int {
	proc, err := hostfs.OpenProc(fs)
	if err != nil {
		return nil
	}
	defer proc.Close()
	pids, err := proc.PIDs()
	if err != nil {
		return nil
	}
	var host, pods []int
	for _, pid := range pids {
		if b, err := proc.ReadPID(pid, "cgroup"); err == nil && slices.ContainsFunc(cgroup(b).Entries, inPod) {
			pods = append(pods, pid)
		} else {
			host = append(host, pid)
		}
	}
	return append(host, pods...)
}
