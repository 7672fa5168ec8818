//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	if path, _ := exec.LookPath("kubectl"); path == "" {
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
	debug := []string{"kubectl", "debug", "node/" + node, "--profile=sysadmin", "--image=busybox:1", "--image-pull-policy=IfNotPresent"}
	nodedoc := []string{filepath.Join(o.tools, "kubectl-nodedoc"), "fd", node, "--interval", sample.String()}
	lines := []struct {
		name  string
		args  []string
		takes func(t times) time.Duration
	}{
		{"kubectl debug node --attach -- true, which waits for its end", slices.Concat(debug, []string{"--attach", "--", "true"}), wholeTime},
		{"the same, and its pod deleted", slices.Concat(debug, []string{"--attach", "--", "true"}), func(t times) time.Duration { return t.end + t.removal }},
		{"kubectl debug node -- true, which waits for nothing", slices.Concat(debug, []string{"--", "true"}), wholeTime},
		{"kubectl nodedoc fd, to the answer, less the sample", nodedoc, func(t times) time.Duration { return t.first - sample }},
		{"kubectl nodedoc fd, until its pod is gone, less the sample", nodedoc, func(t times) time.Duration { return t.end - sample }},
	}
	took := make([][]time.Duration, len(lines))
	for range o.runs {
		for i, l := range lines {
			t, err := watch(ctx, l.args)
			if err != nil {
				return err
			}
			took[i] = append(took[i], l.takes(t))
		}
	}
	itself := func(d time.Duration) time.Duration { return d }
	for i, l := range lines {
		wall := median(took[i], itself)
		fmt.Printf("  %-62s %9s %6.2fx\n", l.name, short(wall), float64(wall)/float64(median(took[0], itself)))
	}
	return nil
}

// times of one command: to the first that it says, to its end, and what it
// then takes to remove the pod that it has left.
type times struct {
	first, end, removal time.Duration
}

func wholeTime(t times) time.Duration { return t.end }

func watch(ctx context.Context, args []string) (t times, err error) {
	begin := time.Now()
	said := &firstWrite{}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var problem strings.Builder
	cmd.Stdout, cmd.Stderr = said, &problem
	err = cmd.Run()
	t.end, t.first = time.Since(begin), said.at.Sub(begin)
	begin = time.Now()
	left := deleteDebugger(ctx, said.text.String())
	t.removal = time.Since(begin)
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", args[0], err, strings.TrimSpace(problem.String()))
	}
	return t, errors.Join(err, left)
}

type firstWrite struct {
	at   time.Time
	text strings.Builder
}

func (w *firstWrite) Write(p []byte) (int, error) {
	if w.at.IsZero() {
		w.at = time.Now()
	}
	return w.text.Write(p)
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
