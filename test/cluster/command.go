package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
)

// command runs a program of the machine; what it says is part of the error only.
func command(ctx context.Context, name string, args ...string) error {
	return quietly(exec.CommandContext(ctx, name, args...))
}

// quietly runs a command away from the terminal, so that Ctrl-C ends it only if its context says so. Killing this
// program ends it, too: nothing must go on making what `down` is removing.
func quietly(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return output(cmd)
}

func output(cmd *exec.Cmd) error {
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("failed to run %q: %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(said.String()))
	}
	return nil
}
