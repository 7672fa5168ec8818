//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// helper is a program that plays a part while others are measured.
type helper struct {
	cmd *exec.Cmd
	in  io.Closer
}

// start returns when the program says that it is ready.
func (b *bench) start(name string, args ...string) (helper, error) {
	cmd := exec.CommandContext(b.ctx, b.tool(name), args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return helper{}, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return helper{}, err
	}
	if err := cmd.Start(); err != nil {
		return helper{}, err
	}
	h := helper{cmd, in}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		return helper{}, fmt.Errorf("%s: %w", name, h.leave())
	}
	return h, nil
}

// leave lets it end by itself, with all that it has started.
func (h helper) leave() error {
	h.in.Close()
	return h.cmd.Wait()
}

// kill works on a stopped one, too.
func (h helper) kill() {
	_ = h.cmd.Process.Kill()
	_ = h.leave()
}
