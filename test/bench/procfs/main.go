//go:build linux

// procfs does the same work by way of github.com/prometheus/procfs.
package main

import (
	"fmt"
	"os"

	"github.com/prometheus/procfs"
)

func main() {
	if err := run(os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, "procfs:", err)
		os.Exit(1)
	}
}

func run(role string) error {
	work := map[string]func(procfs.Proc) error{"count": count, "classify": classify, "processes": process, "threads": threads, "namespaces": namespaces,
		"memory": memory, "rollups": rollup}[role]
	if work == nil {
		return fmt.Errorf("no such loop %q", role)
	}
	all, err := procfs.AllProcs()
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := work(p); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

func count(p procfs.Proc) error {
	_, err := p.FileDescriptorsLen()
	return err
}

func classify(p procfs.Proc) error {
	_, err := p.FileDescriptorTargets()
	return err
}

func process(p procfs.Proc) error {
	if _, err := p.Stat(); err != nil {
		return err
	}
	if _, err := p.Cgroups(); err != nil {
		return err
	}
	_, err := p.CmdLine()
	return err
}

func threads(p procfs.Proc) error {
	all, err := procfs.AllThreads(p.PID)
	if err != nil {
		return err
	}
	for _, t := range all {
		if _, err := t.Stat(); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

func namespaces(p procfs.Proc) error {
	if err := process(p); err != nil {
		return err
	}
	_, err := p.Namespaces()
	return err
}

func memory(p procfs.Proc) error {
	_, err := p.NewStatus()
	return err
}

func rollup(p procfs.Proc) error {
	_, err := p.ProcSMapsRollup()
	return err
}
