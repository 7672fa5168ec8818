package node

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/cgroup"
)

// Run becomes a command in a control group, which dies when whoever asked for it does. It does not return unless it
// fails.
func Run(group string, command []string) error {
	// The wish belongs to the thread, and goes with it through the exec.
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("failed to tie %q to its parent: %w", command[0], err)
	}
	return Exec(group, command)
}

// Exec becomes a command in a control group. It does not return unless it fails.
func Exec(group string, command []string) error {
	program, err := join(group, command)
	if err != nil {
		return err
	}
	if err := unix.Exec(program, command, os.Environ()); err != nil {
		return fmt.Errorf("failed to run %q: %w", program, err)
	}
	return nil
}

// Start leaves a command running in a control group, in a session of its own. When this process ends, the command
// becomes a child of the node's first process, as a daemon should be.
func Start(group string, command []string) error {
	program, err := join(group, command)
	if err != nil {
		return err
	}
	daemon := &exec.Cmd{
		Path:        program,
		Args:        command,
		Stdout:      os.Stdout,
		Stderr:      os.Stderr,
		SysProcAttr: &unix.SysProcAttr{Setsid: true},
	}
	if err := daemon.Start(); err != nil {
		return fmt.Errorf("failed to start %q: %w", program, err)
	}
	return nil
}

func join(group string, command []string) (string, error) {
	if len(command) == 0 {
		return "", errors.New("no command given")
	}
	tree, err := cgroup.Mounted()
	if err != nil {
		return "", err
	}
	if err := tree.Make(group); err != nil {
		return "", err
	}
	if err := tree.Join(group); err != nil {
		return "", err
	}
	program, err := exec.LookPath(command[0])
	if err != nil {
		return "", fmt.Errorf("failed to find %q: %w", command[0], err)
	}
	return program, nil
}
