// Package node is what runs inside a node: its first process, and the way into it for every other.
package node

import (
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/cgroup"
)

// The node's programs are found here, as on systems whose /usr is read-only.
const Bin = "/opt/bin"

// Program is the cluster program's name inside a node.
const Program = Bin + "/node-init"

// ReadyFD is the descriptor on which a node's first process says Ready, or why not.
const ReadyFD = 3

// Ready is what it says when all is well.
const Ready = "ready"

// Init makes a node: it must be process 1 of new pid, mount and uts namespaces, in the node's network namespace. It
// then becomes Reap, started anew from the node's own root, so that nothing of it points to the machine. It returns
// only if the node cannot be made.
func Init(name, root, group string) error {
	ready := os.NewFile(ReadyFD, "ready")
	err := prepare(name, root, group)
	if err == nil {
		err = unix.Exec(Program, []string{Program, "node-reap"}, os.Environ())
	}
	fmt.Fprintln(ready, err)
	return fmt.Errorf("failed to make node %q: %w", name, err)
}

// Reap is the rest of the life of a node's first process.
func Reap() error {
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	ready := os.NewFile(ReadyFD, "ready")
	fmt.Fprintln(ready, Ready)
	if err := ready.Close(); err != nil {
		return fmt.Errorf("failed to report that the node is ready: %w", err)
	}
	for range children {
		reap()
	}
	return nil
}

func prepare(name, root, group string) error {
	tree, err := cgroup.Mounted()
	if err != nil {
		return err
	}
	if err := tree.Make(group); err != nil {
		return err
	}
	if err := tree.Join(group); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(name)); err != nil {
		return fmt.Errorf("failed to set the host name %q: %w", name, err)
	}
	return enterRoot(root)
}

// reap collects every child that has ended: signals of one kind are merged, so one signal may stand for several.
func reap() {
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
	}
}
