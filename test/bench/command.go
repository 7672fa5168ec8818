//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// sample is how long nodedoc watches; its own time is not the tool's.
const sample = time.Second

// wholeCommand: what the user waits for, beside the command that does nothing
// on the node but start a pod there.
func wholeCommand(ctx context.Context, o options) error {
	if os.Getenv("KUBECONFIG") == "" {
		fmt.Println("\nthe whole command: not measured, KUBECONFIG is not set")
		return nil
	}
	if _, err := exec.LookPath("kubectl"); err != nil {
		fmt.Println("\nthe whole command: not measured, kubectl is missing")
		return nil
	}
	node := o.node
	if node == "" {
		var err error
		if node, err = output(ctx, "kubectl", "get", "nodes", "-o", "jsonpath={.items[0].metadata.name}"); err != nil {
			return err
		}
	}
	fmt.Printf("\nthe whole command, for node %s\n", node)
	debug := func(more ...string) func() (string, error) {
		return func() (string, error) {
			args := append([]string{"debug", "node/" + node, "--profile=sysadmin", "--image=busybox:1", "--image-pull-policy=IfNotPresent"}, more...)
			out, err := output(ctx, "kubectl", append(args, "--", "true")...)
			return out, err
		}
	}
	lines := []struct {
		name string
		run  func() (said string, err error)
		less time.Duration
	}{
		{"kubectl debug node -- true, which waits for nothing", debug(), 0},
		{"kubectl debug node --attach -- true, which waits for its end", debug("--attach"), 0},
		{"kubectl nodedoc fd, less the sample", func() (string, error) {
			_, err := output(ctx, filepath.Join(o.tools, "kubectl-nodedoc"), "fd", node, "--interval", sample.String())
			return "", err
		}, sample},
	}
	walls := make([][]time.Duration, len(lines))
	for range o.runs {
		for i, l := range lines {
			begin := time.Now()
			said, err := l.run()
			walls[i] = append(walls[i], time.Since(begin)-l.less)
			if err := errors.Join(err, deleteDebugger(ctx, said)); err != nil {
				return err
			}
		}
	}
	itself := func(d time.Duration) time.Duration { return d }
	for i, l := range lines {
		wall := median(walls[i], itself)
		fmt.Printf("  %-62s %9s %6.2fx\n", l.name, short(wall), float64(wall)/float64(median(walls[1], itself)))
	}
	return nil
}

// deleteDebugger removes the pod that kubectl debug leaves behind, and names:
// "Creating debugging pod node-debugger-NODE-x7k2p with container …".
func deleteDebugger(ctx context.Context, said string) error {
	for _, word := range strings.Fields(said) {
		if !strings.HasPrefix(word, "node-debugger-") {
			continue
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_, err := output(ctx, "kubectl", "delete", "pod", word, "--now")
		return err
	}
	return nil
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, args[0], err, strings.TrimSpace(problem.String()))
	}
	return string(out), nil
}
