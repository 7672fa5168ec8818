package incidents

import (
	"context"
	"path/filepath"
	"strings"
)

// DeadFUSE mounts a FUSE filesystem on a directory of a node, whose daemon then
// no longer answers: whoever touches it waits for ever.
func (c *Cluster) DeadFUSE(ctx context.Context, u *Undo, node, directory string) error {
	const program = "/opt/deadfuse"
	if err := c.CopyToNode(ctx, node, filepath.Join(c.Tools, "bench", "deadfuse"), program); err != nil {
		return err
	}
	u.unmount(c, node, directory)
	out, err := c.OnNode(ctx, node, "sh", "-ec", `mkdir -p "$2"
: >/run/deadfuse.$$
setsid "$1" "$2" >>/run/deadfuse.$$ 2>&1 </dev/null &
until grep -q ready /run/deadfuse.$$; do kill -0 $!; sleep 0.1; done
rm /run/deadfuse.$$
kill -STOP $!
echo $!`, "sh", program, directory)
	if err != nil {
		return err
	}
	// With the daemon the connection ends, and whoever waits is released.
	u.onNode(c, node, "kill -KILL "+strings.TrimSpace(out))
	return nil
}
