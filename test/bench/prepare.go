//go:build linux

package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed yardstick/loops.c
var loopsC string

//go:embed yardstick/mounts.c
var mountsC string

//go:embed yardstick/memory.c
var memoryC string

// prepare installs what the machine lacks and compiles the yardsticks.
func prepare(ctx context.Context, dir string) error {
	installMissing(ctx)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, source := range map[string]string{"loops": loopsC, "mounts": mountsC, "memory": memoryC} {
		cc := exec.CommandContext(ctx, "cc", "-O2", "-x", "c", "-o", filepath.Join(dir, name), "-", "-lpthread")
		cc.Stdin, cc.Stderr = strings.NewReader(source), os.Stderr
		if err := cc.Run(); err != nil {
			return fmt.Errorf("failed to compile %s.c: %w", name, err)
		}
	}
	return nil
}

// installMissing leaves a peer that cannot be had to the table, which names it.
func installMissing(ctx context.Context) {
	var missing []string
	for _, need := range []struct{ program, packages string }{
		{"cc", "gcc libc6-dev"}, {"lsof", "lsof"}, {"lsfd", "util-linux-extra"}, {"ps", "procps"},
	} {
		if _, err := exec.LookPath(need.program); err != nil {
			missing = append(missing, strings.Fields(need.packages)...)
		}
	}
	if len(missing) == 0 {
		return
	}
	for _, args := range [][]string{{"update"}, append([]string{"install", "--yes", "--no-install-recommends"}, missing...)} {
		apt := exec.CommandContext(ctx, "apt-get", append([]string{"-q"}, args...)...)
		apt.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := apt.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "bench: failed to install %s: %v\n%s", strings.Join(missing, ", "), err, out)
			return
		}
	}
}
