//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// command is one line of a block of the table.
type command struct {
	name string
	args []string
	once bool // too slow for more
}

// cost is what one run took.
type cost struct {
	cpu, wall time.Duration
	peakKiB   int64
}

const patience = 2 * time.Minute

var errHung = errors.New("hung")

// measure runs each command so many times, by turns, so that a machine that
// gets slower or faster meanwhile does so for all.
func (b *bench) measure(title string, commands []command) error {
	costs := make([][]cost, len(commands))
	failures := make([]error, len(commands))
	for run := range b.runs {
		for i, c := range commands {
			if b.ctx.Err() != nil {
				return b.ctx.Err()
			}
			if failures[i] != nil || c.once && run > 0 {
				continue
			}
			cost, err := b.time(patience, c.args...)
			costs[i], failures[i] = append(costs[i], cost), err
		}
	}
	fmt.Printf("\n%s\n  %-58s %9s %7s %9s %10s\n", title, "", "CPU", "ratio", "wall", "peak")
	first := median(costs[0], func(c cost) time.Duration { return c.cpu })
	for i, c := range commands {
		if failures[i] != nil {
			fmt.Printf("  %-58s %s\n", c.name, failures[i])
			continue
		}
		cpu := median(costs[i], func(c cost) time.Duration { return c.cpu })
		peak := median(costs[i], func(c cost) int64 { return c.peakKiB })
		fmt.Printf("  %-58s %9s %6.2fx %9s %6.1f MiB\n", c.name, short(cpu), float64(cpu)/float64(first),
			short(median(costs[i], func(c cost) time.Duration { return c.wall })), float64(peak)/1024)
	}
	return failures[0]
}

// time runs a command under the stopwatch, a small process: a child's peak
// memory counts from that of the process that forked it.
func (b *bench) time(patience time.Duration, args ...string) (cost, error) {
	if _, err := exec.LookPath(args[0]); err != nil {
		return cost{}, fmt.Errorf("missing: %s", args[0])
	}
	ctx, cancel := context.WithTimeoutCause(b.ctx, patience, errHung)
	defer cancel()
	r, w, err := os.Pipe()
	if err != nil {
		return cost{}, err
	}
	defer r.Close()
	cmd := exec.CommandContext(ctx, b.tool("loops"), append([]string{"time"}, args...)...)
	cmd.ExtraFiles = []*os.File{w}
	var errors strings.Builder
	cmd.Stderr = &errors
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // what hangs in the kernel may not even die
	err = cmd.Start()
	w.Close()
	if err == nil {
		err = cmd.Wait()
	}
	if ctx.Err() != nil {
		return cost{}, context.Cause(ctx)
	}
	if err != nil {
		return cost{}, fmt.Errorf("%w: %s", err, strings.TrimSpace(errors.String()))
	}
	var cpu, wall, peak int64
	if _, err := fmt.Fscan(r, &cpu, &wall, &peak); err != nil {
		return cost{}, fmt.Errorf("no times of %s: %w", args[0], err)
	}
	return cost{time.Duration(cpu) * time.Microsecond, time.Duration(wall) * time.Microsecond, peak}, nil
}

func median[C any, V int64 | time.Duration](costs []C, of func(C) V) V {
	values := make([]V, len(costs))
	for i, c := range costs {
		values[i] = of(c)
	}
	slices.Sort(values)
	if len(values) == 0 {
		return 0
	}
	return values[len(values)/2]
}

func short(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
