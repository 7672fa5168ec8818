package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// writeVMKeys makes the key with which root is let in, and the one by which the machine is known.
func writeVMKeys(ctx context.Context, l layout, root string, n plannedNode) error {
	client, host := l.vmKey(n.Name), filepath.Join(root, "etc/ssh/ssh_host_ed25519_key")
	for _, key := range []string{client, host} {
		if err := os.MkdirAll(filepath.Dir(key), 0o755); err != nil {
			return fmt.Errorf("failed to make the directory of %q: %w", key, err)
		}
		if err := command(ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", n.Name, "-f", key); err != nil {
			return err
		}
	}
	public, err := os.ReadFile(client + ".pub")
	if err != nil {
		return fmt.Errorf("failed to read the key of %q: %w", n.Name, err)
	}
	if err := write(filepath.Join(root, "root/.ssh/authorized_keys"), public); err != nil {
		return err
	}
	if err := os.Chmod(filepath.Join(root, "root"), 0o700); err != nil {
		return fmt.Errorf("failed to close the home of root: %w", err)
	}
	known, err := os.ReadFile(host + ".pub")
	if err != nil {
		return fmt.Errorf("failed to read the key of %q: %w", n.Name, err)
	}
	return write(l.vmKnown(n.Name), []byte(n.IP+" "+string(known)))
}

// sshArguments lead into the machine, and depend on nothing that the user has configured.
func sshArguments(l layout, n plannedNode) []string {
	return []string{
		"ssh", "-q", "-F", "none", "-i", l.vmKey(n.Name), "-o", "UserKnownHostsFile=" + l.vmKnown(n.Name),
		"-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10",
		"root@" + n.IP,
	}
}

// sshCommand is a command line for the shell at the other end, which sees the arguments as they are.
func sshCommand(args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}

// isTerminal says whether a command that is entered from here may want one of its own.
func isTerminal(file *os.File) bool {
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}
