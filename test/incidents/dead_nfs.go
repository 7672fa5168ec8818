package incidents

import (
	"context"
	"path/filepath"
	"strings"
)

// DeadNFS mounts an NFS export on a directory of a node, by the kernel's own
// client, whose server then no longer answers: whoever touches it waits for ever.
func (c *Cluster) DeadNFS(ctx context.Context, u *Undo, node, directory string) error {
	const program = "/opt/nfsserver"
	if err := c.CopyToNode(ctx, node, filepath.Join(c.Tools, "nfsserver"), program); err != nil {
		return err
	}
	server := ""
	signal := func(name string) {
		u.Add(func(ctx context.Context) error {
			_, err := c.OnNode(ctx, node, "sh", "-c", "test -z '"+server+"' || kill -"+name+" "+server)
			return err
		})
	}
	u.onNode(c, node, "rm -f "+program)
	signal("KILL")
	u.unmount(c, node, directory)
	signal("CONT") // whoever waits is released, and an umount asks it
	// There is no mount.nfs to find out what the options say.
	out, err := c.OnNode(ctx, node, "sh", "-ec", `modprobe nfs
modprobe nfsv3
: >/run/nfsserver.$$
setsid "$1" 127.0.0.1:20490 >>/run/nfsserver.$$ 2>&1 </dev/null &
until grep -q ready /run/nfsserver.$$; do kill -0 $!; sleep 0.1; done
rm /run/nfsserver.$$
mkdir -p "$2"
mount -i -t nfs -o vers=3,proto=tcp,nolock,addr=127.0.0.1,port=20490,mountproto=tcp,mountaddr=127.0.0.1,mountport=20490 127.0.0.1:/ "$2"
kill -STOP $!
echo $!`, "sh", program, directory)
	server = strings.TrimSpace(out)
	return err
}
