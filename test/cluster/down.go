package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/cgroup"
)

const downPatience = 30 * time.Second

// down removes a cluster without a trace. It goes by what is there, not by what `up` wrote down, so it can be called
// at any time, after any accident, and again.
func down(ctx context.Context, l layout, p progress) error {
	if err := requireRoot(); err != nil {
		return err
	}
	if owner, taken := claimedBy(); taken && owner != "" && owner != l.dir {
		return fmt.Errorf("failed to take the cluster in %q down: this machine has the one in %q: `cluster down --dir %s`", l.dir, owner, owner)
	}
	lock, err := lockDirectory(l)
	if err != nil {
		return err
	}
	defer lock.Close()
	ctx, cancel := context.WithTimeout(ctx, downPatience)
	defer cancel()
	tree, err := cgroup.Mounted()
	if err != nil {
		return err
	}
	for {
		if err := removeAll(ctx, l, tree, p); err != nil {
			return err
		}
		// A killed `up` may leave a child between fork and exec behind, and nothing tells it as ours before it has joined
		// its group.
		if again, err := tree.Top(ourGroup); err != nil || len(again) == 0 {
			return err
		}
	}
}

func removeAll(ctx context.Context, l layout, tree cgroup.Tree, p progress) error {
	groups, err := tree.Top(ourGroup)
	if err != nil {
		return err
	}
	for _, group := range groups {
		if err := tree.Thaw(group); err != nil {
			return err
		}
	}
	// While a process lives, so do its mounts and its groups: nothing else would work.
	if err := killAll(ctx, l); err != nil {
		return err
	}
	p.say("processes are gone")
	if err := removeRest(ctx, l, tree, groups); err != nil {
		return fmt.Errorf("%w\n%s is kept; run `cluster down` again", err, l.dir)
	}
	p.say("network, control groups and %s are gone", l.dir)
	return nil
}

// removeRest removes as much as it can; the directory only if all else is gone, since it holds what to restore.
func removeRest(ctx context.Context, l layout, tree cgroup.Tree, groups []string) error {
	var failures []error
	for _, group := range groups {
		failures = append(failures, tree.Remove(group, 10*time.Second))
	}
	failures = append(failures, disconnect(ctx), restoreBefore(l), unmountBelow(l.dir))
	if err := errors.Join(failures...); err != nil {
		return err
	}
	if err := os.RemoveAll(l.dir); err != nil {
		return fmt.Errorf("failed to remove %q: %w", l.dir, err)
	}
	return nil
}

// unmountBelow unmounts what somebody mounted below the directory. A cluster itself mounts nothing there, but what
// is about to be removed must not lead anywhere else.
func unmountBelow(dir string) error {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("failed to list the mounts: %w", err)
	}
	defer file.Close()
	var points []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 4 && strings.HasPrefix(fields[4], dir+"/") {
			points = append(points, fields[4])
		}
	}
	slices.Reverse(points)
	for _, point := range points {
		if err := unix.Unmount(point, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("failed to unmount %q: %w", point, err)
		}
	}
	return lines.Err()
}
