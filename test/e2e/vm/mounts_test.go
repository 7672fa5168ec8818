//go:build e2e

package vm

import (
	"bytes"
	"context"
	"os/exec"
	"slices"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

const leaked = "d-bp1iau7367wkpf6xqdpv"

// TestLeakedVolume has a kernel of its own: the threads that the volume costs are
// seen, and gone when the script has run.
func TestLeakedVolume(t *testing.T) {
	var undo incidents.Undo
	t.Cleanup(func() {
		if err := undo.All(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := cluster.LoadActor(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	number, err := cluster.StagedVolume(t.Context(), &undo, node, leaked, incidents.StagedAt(leaked))
	if err != nil {
		t.Fatal(err)
	}
	for _, profile := range profiles() {
		v := leakedVolume(t, profile)
		if v == nil || v.State != correlate.VolumeLeaked || v.Reasons[0].Reason != correlate.PVGone || v.Device == nil || v.Device.Number != number {
			t.Fatalf("%s: the volume on %s is %+v", profile, number, v)
		}
		if v.KernelThreads < 1 || v.Device.Guessed || v.Since == nil {
			t.Errorf("%s: %d kernel threads, guessed %t, since %v", profile, v.KernelThreads, v.Device.Guessed, v.Since)
		}
	}
	var tasks correlate.NodeTasks
	nodedoc(t, &tasks, "tasks", node)
	i := slices.IndexFunc(tasks.Devices, func(d correlate.TaskDevice) bool { return d.Number == number })
	if i < 0 || tasks.Devices[i].State != correlate.VolumeLeaked || tasks.KernelThreads == 0 {
		t.Errorf("%d kernel threads, devices %+v", tasks.KernelThreads, tasks.Devices)
	}
	script, err := exec.Command(plugin().Path, "mounts", node, "--script", "--start-timeout", "3m").Output()
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), cluster.Tools+"/cluster", "exec", node, "--", "sh", "-s")
	run.Stdin = bytes.NewReader(script)
	if out, err := run.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("1 unmounted, 0 went with them, 0 skipped because changed, 0 failed")) {
		t.Errorf("%v: %s", err, out)
	}
	if v := leakedVolume(t, "sysadmin"); v != nil {
		t.Errorf("%+v is left", v)
	}
}

// leakedVolume is what nodedoc says of the one; nil: nothing.
func leakedVolume(t *testing.T, profile string) *correlate.Volume {
	t.Helper()
	var answer struct {
		Nodes []struct{ correlate.NodeMounts }
	}
	nodedoc(t, &answer, "mounts", node, "--leaked", "--profile", profile)
	if len(answer.Nodes) != 1 || answer.Nodes[0].ThreadsUnseen {
		t.Fatalf("got %+v", answer.Nodes)
	}
	for i := range answer.Nodes[0].Volumes {
		if v := &answer.Nodes[0].Volumes[i]; v.Name == leaked {
			return v
		}
	}
	return nil
}
