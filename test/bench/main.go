//go:build linux

// bench measures nodedoc beside its peers, in one run on one machine, and
// prints a table. It judges no time: machines differ, so the ratios count.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

const usage = `usage: bench [--runs N] [--small] [--node NAME] DIRECTORY-OF-BUILT-PROGRAMS
  needs root; with KUBECONFIG of a throwaway cluster it measures the whole command, too
`

type options struct {
	runs  int
	small bool
	node  string
	tools string // built programs: ours, the peers', and the compiled yardsticks
	dir   string // in the stage: a filesystem of its own
}

func main() {
	var o options
	flag.IntVar(&o.runs, "runs", 5, "")
	flag.BoolVar(&o.small, "small", false, "a few processes only, to see that it works")
	flag.StringVar(&o.node, "node", "", "")
	flag.StringVar(&o.dir, "stage", "", "")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()
	o.tools = flag.Arg(0)
	if flag.NArg() != 1 || o.runs < 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	run := perform
	if o.dir != "" {
		run = onStage
	}
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func perform(ctx context.Context, o options) error {
	if os.Geteuid() != 0 {
		return errors.New("it reads every process's descriptors and makes namespaces: run it as root")
	}
	dir, err := os.MkdirTemp("", "nodedoc-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := prepare(ctx, filepath.Join(o.tools, "bench")); err != nil {
		return err
	}
	fmt.Printf("%s, %d CPUs; CPU is user and system time, medians of %d runs, the commands of a block by turns\n", machine(), runtime.NumCPU(), o.runs)
	if err := stage(ctx, o, dir); err != nil {
		return err
	}
	return wholeCommand(ctx, o)
}

// stage starts this program again in pid and mount namespaces of its own: what
// is measured is the crowd alone, and all of it dies with the namespace,
// whatever ends this program.
func stage(ctx context.Context, o options, dir string) error {
	args := []string{fmt.Sprint("-runs=", o.runs), fmt.Sprint("-small=", o.small), "-stage=" + dir, o.tools}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// First asked: it has made cgroups, which outlive it.
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(syscall.SIGTERM) }, 10*time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Setpgid: true, Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // the death of the thread that starts it counts as the parent's
	defer runtime.UnlockOSThread()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the stage: %w", err)
	}
	return ctx.Err()
}

// onStage measures, as the first process of its namespace.
func onStage(ctx context.Context, o options) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("failed to leave the machine's mounts alone: %w", err)
	}
	if err := errors.Join(syscall.Mount("proc", "/proc", "proc", 0, ""), syscall.Mount("tmpfs", o.dir, "tmpfs", 0, "")); err != nil {
		return err
	}
	b := bench{ctx: ctx, options: o}
	for _, step := range []func() error{b.descriptors, b.processes, b.memory, b.recorder, b.firstByte, b.deadFUSE, b.mounts} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func machine() string {
	var u syscall.Utsname
	if err := syscall.Uname(&u); err != nil {
		return runtime.GOARCH
	}
	release := make([]byte, 0, len(u.Release))
	for _, c := range u.Release {
		if c == 0 {
			break
		}
		release = append(release, byte(c))
	}
	return "Linux " + string(release) + " " + runtime.GOARCH
}
