package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// daemon is a process that outlives the command that starts it.
type daemon struct {
	Name string   `json:"name"`
	PID  int      `json:"pid"`
	Log  string   `json:"log"`
	Args []string `json:"args,omitempty"`
}

// startOnHost starts a program of the control plane, in a control group of its own.
func startOnHost(l layout, c component) (daemon, error) {
	program, err := os.Executable()
	if err != nil {
		return daemon{}, fmt.Errorf("failed to find this program's own file: %w", err)
	}
	started := daemon{Name: c.name, Log: l.log(c.name + ".log"), Args: append([]string{l.bin(c.name)}, c.args...)}
	cmd := exec.Command(program, append([]string{"join", controlRoot + "/" + c.name}, started.Args...)...)
	if err := start(l, cmd, started.Log); err != nil {
		return daemon{}, err
	}
	started.PID = cmd.Process.Pid
	return started, nil
}

// start starts a command with a log file, in a session of its own, and with what else is to be in its environment.
func start(l layout, cmd *exec.Cmd, log string, extra ...string) error {
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return fmt.Errorf("failed to make the directory of %q: %w", log, err)
	}
	output, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("failed to open log %q: %w", log, err)
	}
	defer output.Close()
	cmd.Stdout, cmd.Stderr = output, output
	cmd.Env = append(environment(l), extra...)
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("failed to start %q: %w", cmd.Path, err)
	}
	// Collects the process if it ends before this one does, so that it does not look alive.
	go func() { _ = cmd.Wait() }()
	return nil
}

// environment is what the processes of a cluster get: a node knows nothing of the user who started it.
func environment(l layout) []string {
	return []string{
		"PATH=/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root",
		"LANG=C.UTF-8",
		instanceVariable + "=" + l.dir,
	}
}

// check says what a daemon said last, if it has ended.
func (d daemon) check() error {
	if alive(d.PID) {
		return nil
	}
	return d.blame(fmt.Errorf("failed to keep %s running", d.Name))
}

// blame adds the end of a daemon's log to an error.
func (d daemon) blame(err error) error {
	return fmt.Errorf("%w; the log %s ends with:\n%s", err, d.Log, tail(d.Log, 15))
}

func tail(path string, lines int) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
