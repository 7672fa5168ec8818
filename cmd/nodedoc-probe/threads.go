//go:build linux

package main

import (
	"runtime"
	"sync"
)

// enoughThreads are more than the probe has at work at once: one waits for the
// client, one reads, one writes, and the runtime watches and collects garbage.
const enoughThreads = 8

// reserveThreads starts the threads that may be needed while it can. Go dies
// where it needs one and gets none, and on a node whose pids run out that may
// come at any moment. A thread that has been started is kept for what comes next.
func reserveThreads(count int) {
	var started sync.WaitGroup
	release := make(chan struct{})
	for range count {
		started.Add(1)
		go func() {
			runtime.LockOSThread() // so that each takes one of its own
			defer runtime.UnlockOSThread()
			started.Done()
			<-release
		}()
	}
	started.Wait()
	close(release)
}
