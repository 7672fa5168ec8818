package incidents

import (
	"context"
	"strings"
)

// DeadNFS mounts an NFS export on a directory of a node, by the kernel's own
// client, whose server then no longer answers: whoever touches it waits for ever.
func (c *Cluster) DeadNFS(ctx context.Context, u *Undo, node, directory string) error {
	server, err := c.StartNFS(ctx, u, node)
	if err != nil {
		return err
	}
	u.unmount(c, node, directory)
	u.Add(server.Answer) // whoever waits is released, and an umount asks it
	if _, err := c.OnNode(ctx, node, "sh", "-ec", `mkdir -p "$1"
mount -i -t nfs -o "$2" 127.0.0.1:/ "$1"`, "sh", directory, strings.Join(mountOptionsNFS(), ",")); err != nil {
		return err
	}
	return server.Hang(ctx)
}
