package incidents

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/nodedoc/kubectl-nodedoc/test/incidents/loopvol"
)

// ManyVolumes stages leaked volumes on a node by the thousand. None is in the
// API.
func (c *Cluster) ManyVolumes(ctx context.Context, u *Undo, node string, count int) error {
	const images = "/var/lib/loopcsi/many"
	u.onNode(c, node, "rm -rf "+images)
	u.unmount(c, node, plugins+"csi/pv")
	if _, err := c.OnNode(ctx, node, "sh", "-ec", "mkdir -p "+images+" && cd "+images+`
truncate -s 4M template && mkfs.ext4 -q -F -b 1024 -J size=1 -N 16 -E lazy_itable_init=0,nodiscard template`); err != nil {
		return err
	}
	var list bytes.Buffer
	out := json.NewEncoder(&list)
	for i := range count {
		name := ManyName(i)
		if err := out.Encode(loopvol.Volume{Image: images + "/" + name, Points: []string{StagedAt(name) + "/globalmount"}}); err != nil {
			return err
		}
	}
	making := c.tool(ctx, "exec", node, "--", actorOnNode, "volumes", images+"/template")
	making.Stdin = &list
	if out, err := making.CombinedOutput(); err != nil {
		return fmt.Errorf("failed to make %d volumes: %w: %s", count, err, out)
	}
	// The kubelet's notes, by the shell alone: no process for each.
	_, err := c.OnNode(ctx, node, "sh", "-ec", `cd `+plugins+`csi/pv
for v in d-many-*; do
echo '{"attachmentID":"csi-'$v'","driverName":"gone.csi.nodedoc.test","specVolID":"'$v'","volumeHandle":"vol-'$v'","volumeLifecycleMode":"Persistent"}' >$v/vol_data.json
done; test $(ls | wc -l) -ge "$1"`, "sh", strconv.Itoa(count))
	return err
}

// ManyName is the name of one of many volumes.
func ManyName(i int) string { return fmt.Sprintf("d-many-%05d", i) }
