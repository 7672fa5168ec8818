package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// runPatience is how long a command may take to end after SIGTERM.
const runPatience = 10 * time.Second

// runInside makes a cluster, runs a command with it, and always takes the cluster down again.
func runInside(ctx context.Context, l layout, p progress, s size, args []string) (err error) {
	defer func() {
		// Whatever cancelled the command must not cancel this.
		if failure := down(context.WithoutCancel(ctx), l, p); failure != nil {
			err = errors.Join(err, failure)
		}
	}()
	if err := up(ctx, l, p, s); err != nil {
		return err
	}
	return runWith(ctx, l, l.kubeconfig(), args)
}

// runWith runs a command that uses the cluster.
func runWith(ctx context.Context, l layout, kubeconfig string, args []string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = runPatience
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "NODEDOC_CLUSTER_DIR="+l.dir)
	return asExit(cmd.Run(), args[0])
}

// execInside runs a command on a node as somebody who has logged in there would.
func execInside(l layout, name string, args []string) error {
	s, err := loadState(l)
	if err != nil {
		return err
	}
	n, err := s.node(name)
	if err != nil {
		return err
	}
	// Ctrl-C reaches the command, which decides what it means; SIGTERM ends this program, and the command dies with it.
	signal.Reset(syscall.SIGTERM)
	runtime.LockOSThread()
	if n.VM != nil && isTerminal(os.Stdin) {
		n.VM.SSH = append(n.VM.SSH, "-t")
	}
	cmd := n.enter(context.Background(), "node-run", n.Name+"/user.slice", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(environment(l), "TERM="+os.Getenv("TERM"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return asExit(cmd.Run(), args[0])
}

// exitError carries a command's exit code out of the program; the command itself has said what was wrong.
type exitError struct {
	code int
}

func (e exitError) Error() string { return fmt.Sprintf("the command ended with code %d", e.code) }

func asExit(err error, name string) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &exit):
		return fmt.Errorf("failed to run %q: %w", name, err)
	case exit.ExitCode() >= 0:
		return exitError{exit.ExitCode()}
	}
	// As shells have it.
	return exitError{128 + int(exit.Sys().(syscall.WaitStatus).Signal())}
}
