//go:build e2e

package vm

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// mountsOf is the answer of `mounts` for the node.
type mountsOf struct {
	Nodes []struct {
		correlate.NodeMounts
		Findings []diagnose.Finding
	}
}

func (m mountsOf) volume(t *testing.T, name string) correlate.Volume {
	t.Helper()
	if len(m.Nodes) != 1 || len(m.Nodes[0].Gaps) > 0 {
		t.Fatalf("got %+v", m.Nodes)
	}
	i := slices.IndexFunc(m.Nodes[0].Volumes, func(v correlate.Volume) bool { return v.Name == name })
	if i < 0 {
		t.Fatalf("no volume %s among %+v", name, m.Nodes[0].Volumes)
	}
	return m.Nodes[0].Volumes[i]
}

// undone undoes all at the end of a test.
func undone(t *testing.T) *incidents.Undo {
	t.Helper()
	var undo incidents.Undo
	t.Cleanup(func() {
		if err := undo.All(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := cluster.LoadActor(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	return &undo
}

// TestDiskThatFails: a pod uses a volume whose disk fails underneath. The answer
// lacks nothing, and says that the device is broken and whose it is.
func TestDiskThatFails(t *testing.T) {
	const space, name = "e2e-vm-disk", "e2e-vm-disk"
	undo := undone(t)
	if err := cluster.TemporaryNamespace(t.Context(), undo, space); err != nil {
		t.Fatal(err)
	}
	disk, err := cluster.NewBrokenDisk(t.Context(), undo, node, name, "/mnt/disks/"+name)
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.LocalVolume(t.Context(), undo, node, space, name, "/mnt/disks/"+name); err != nil {
		t.Fatal(err)
	}
	var answer mountsOf
	nodedoc(t, &answer, "mounts", node)
	if v := answer.volume(t, name); v.State != correlate.VolumeLive || v.Device == nil || v.Device.Number != disk.Number || len(answer.Nodes[0].Findings) > 0 {
		t.Errorf("while it is whole: %+v, findings %+v", v, answer.Nodes[0].Findings)
	}
	if err := disk.Break(t.Context()); err != nil {
		t.Fatal(err)
	}
	nodedoc(t, &answer, "mounts", node)
	v := answer.volume(t, name)
	if v.State != correlate.VolumeLive || v.Device == nil || v.Device.DMName != name || v.Device.FSErrors == nil || *v.Device.FSErrors == 0 || v.Device.LogErrors == 0 {
		t.Errorf("%+v on %+v", v, v.Device)
	}
	f := answer.Nodes[0].Findings
	if len(f) != 1 || f[0].ID != diagnose.MountsDeviceErrors || f[0].Subject == nil || f[0].Subject.Namespace != space || !strings.Contains(f[0].Summary, name) {
		t.Errorf("found %+v", f)
	}
}

// TestServerThatIsDead: a volume of NFS whose server hangs, and with it whoever
// touches the volume: nodedoc does not. It is leaked, the answer is whole, and who
// waits is named.
func TestServerThatIsDead(t *testing.T) {
	const name = "d-e2e-vm-nfs"
	undo := undone(t)
	point := incidents.StagedAt(name) + "/globalmount"
	if err := cluster.DeadNFS(t.Context(), undo, node, point); err != nil {
		t.Fatal(err)
	}
	onNode(t, "setsid cat "+point+"/held >/dev/null 2>&1 </dev/null &")
	pid := pidOf(t, "cat "+point+"/held")
	var answer mountsOf
	nodedoc(t, &answer, "mounts", node)
	v := answer.volume(t, name)
	if v.State != correlate.VolumeLeaked || v.Type != "nfs" || v.Source != "127.0.0.1:/" || v.Device != nil || v.Reasons[0].Reason != correlate.PVGone {
		t.Errorf("got %+v", v)
	}
	eventually(t, "cat waits", time.Minute, func() bool { return onNode(t, "ps -o stat= -p "+strconv.Itoa(pid)+" | cut -c1") == "D" })
	a := askTasks(t)
	i := slices.IndexFunc(a.Blocked, func(b correlate.BlockedRow) bool { return b.PID == pid })
	if i < 0 || a.Blocked[i].WaitsFor != correlate.WaitsNFS || a.Blocked[i].Waiting() != 1 || a.Blocked[i].Server != nfsAddress {
		t.Errorf("who waits: %+v", a.Blocked)
	}
	if !slices.Equal(a.found(diagnose.TasksServer), []string{""}) {
		t.Errorf("found %+v", a.Findings)
	}
}
