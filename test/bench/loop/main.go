//go:build linux

// loop is loops.c over nodedoc's own readers: what a loop costs in Go, without
// the report around it.
package main

import (
	"fmt"
	"os"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

func main() {
	run := run
	if len(os.Args) == 3 && os.Args[1] == "cgroups" {
		run = cgroups
	}
	if err := run(os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, "loop:", err)
		os.Exit(1)
	}
}

func run(role string) error {
	proc, err := hostfs.OpenProc(hostfs.FS{Proc: "/proc"})
	if err != nil {
		return err
	}
	defer proc.Close()
	pids, err := proc.PIDs()
	if err != nil {
		return err
	}
	l := loop{proc: proc, counter: hostfs.NewFDCounter(proc)}
	work := map[string]func(pid int) error{"count": l.count, "classify": l.classify, "processes": l.process, "threads": l.threads, "namespaces": l.namespaces,
		"memory": l.memory, "rollups": l.rollup}[role]
	if work == nil {
		return fmt.Errorf("no such loop %q", role)
	}
	for _, pid := range pids {
		if err := work(pid); err != nil && !hostfs.Gone(err) {
			return err
		}
	}
	fmt.Printf("%d processes, %d threads (%d in D), %d descriptors, %d bytes, %v\n", len(pids), l.tasks, l.blocked, l.descriptors, l.bytes, l.kinds)
	return nil
}

type loop struct {
	proc               *hostfs.Proc
	counter            hostfs.FDCounter
	descriptors, bytes int
	tasks, blocked     int
	kinds              map[string]int
}

func (l *loop) count(pid int) error {
	n, err := l.counter.Count(pid)
	l.descriptors += n
	return err
}

func (l *loop) classify(pid int) error {
	texts := map[string]*int{}
	err := l.proc.EachFD(pid, func(_, link []byte) bool {
		l.descriptors++
		text := hostfs.WithoutInode(link)
		if n := texts[string(text)]; n != nil {
			*n++
		} else {
			first := 1
			texts[string(text)] = &first
		}
		return true
	})
	if l.kinds == nil {
		l.kinds = map[string]int{}
	}
	for text, n := range texts {
		l.kinds[hostfs.ParseFDLink(text).Kind] += *n
	}
	return err
}

func (l *loop) process(pid int) error {
	for _, name := range []string{"stat", "cgroup", "cmdline"} {
		b, err := l.proc.ReadPID(pid, name)
		if err != nil {
			return err
		}
		l.bytes += len(b)
		if name == "stat" {
			if _, err := hostfs.ParseStat(b); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *loop) threads(pid int) error {
	return l.proc.EachTaskStat(pid, func(_ int, stat []byte) {
		l.tasks++
		if hostfs.StateOf(stat) == 'D' {
			l.blocked++
		}
	})
}

func (l *loop) namespaces(pid int) error {
	if err := l.process(pid); err != nil {
		return err
	}
	for _, name := range []string{"ns/cgroup", "ns/ipc", "ns/mnt", "ns/net", "ns/pid", "ns/time", "ns/user", "ns/uts"} {
		link, err := l.proc.Readlink(pid, name)
		if err != nil {
			return err
		}
		l.bytes += len(link)
	}
	return nil
}
