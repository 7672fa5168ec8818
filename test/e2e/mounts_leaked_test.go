//go:build e2e

package e2e

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// leakedVolumes: each is named with its reasons, and who else has it mounted.
func (s *storage) leakedVolumes(t *testing.T) {
	s.leak(t)
	s.before = filepath.Join(s.dir, "before.json")
	r := s.mounts(t, s.node, "--save", s.before).row(t, s.node)
	for what, reasons := range map[string][]correlate.LeakReason{
		s.leaks.DriverDead: {correlate.PVGone, correlate.LeakPodGone},
		s.leaks.OldStaging: {correlate.PVGone, correlate.LeakPodGone, correlate.ContainerDead},
		s.leaks.Detached:   {correlate.NotAttached},
		s.leaks.InTree:     {correlate.Unused},
		s.leaks.Sick:       {correlate.PVGone, correlate.DeviceEmpty, correlate.DeviceErrors},
		"/pv/d-odd":        {correlate.PVGone},
		s.fuse():           {correlate.PVGone},
		s.live.Shared:      {correlate.ContainerDead, correlate.ContainerUnknown},
	} {
		v := r.volume(t, what)
		s.checkLeak(t, v, reasons)
		if want := correlate.VolumeLeaked; what != s.live.Shared && v.State != want {
			t.Errorf("%s is %s, want %s", what, v.State, want)
		}
	}
	if v := r.volume(t, s.live.Shared); v.State != correlate.VolumeLive {
		t.Errorf("%s is %s: %+v", v.Name, v.State, v.Reasons)
	}
}

// checkLeak checks the reasons, the copies and the log collector.
func (s *storage) checkLeak(t *testing.T, v correlate.Volume, reasons []correlate.LeakReason) {
	t.Helper()
	for _, want := range reasons {
		found := false
		for _, r := range v.Reasons {
			found = found || r.Reason == want && r.Text != ""
		}
		if !found {
			t.Errorf("%s: %+v lacks %s", v.Name, v.Reasons, want)
		}
	}
	if v.Copies < 2 || v.Leaked < v.Copies { // Docker's directory has two names
		t.Errorf("%s: %d copies, %d leaked", v.Name, v.Copies, v.Leaked)
	}
	for _, h := range v.Holders {
		if h.Owner.Workload == "DaemonSet/logxxx-ds" {
			if via := h.Via; via == nil || via.HostPath != "/" || via.MountPath != incidents.HostMount || via.Propagation != "HostToContainer" || via.Field == "" {
				t.Errorf("%s is held by %+v via %+v", v.Name, h.Owner, via)
			}
			return
		}
	}
	t.Errorf("%s: the log collector is not among %+v", v.Name, v.Holders)
}

// leak makes the incident.
func (s *storage) leak(t *testing.T) {
	t.Helper()
	s.other = "d-" + s.namespace + "-other"
	if _, err := cluster.StagedVolume(t.Context(), &s.undo, node, s.other, incidents.StagedAt(s.other)); err != nil {
		t.Fatal(err)
	}
	before := onMachine(t, "losetup -nO NAME")
	var err error
	if s.leaks, err = incidents.NewLeakedVolumes(t.Context(), cluster, &s.undo, s.node, s.namespace); err != nil {
		t.Fatal(err)
	}
	s.devices = slices.DeleteFunc(onMachine(t, "losetup -nO NAME"), func(d string) bool { return slices.Contains(before, d) })
	s.driversDevice = onMachine(t, "losetup -nO NAME,BACK-FILE | awk '/"+s.leaks.DriverDead+"[.]img/ { print $1 }'")[0]
	if threads := s.devicesLeft(t); len(threads) < 2*len(s.devices)-1 {
		t.Fatalf("devices %q have %q", s.devices, threads)
	}
	// Within the kubelet's directory, too, but not in that of a pod that is gone:
	// there the kubelet itself touches it, and starts no pod any more.
	if err := cluster.DeadFUSE(t.Context(), &s.undo, s.node, incidents.StagedAt(s.fuse())+"/globalmount"); err != nil {
		t.Fatal(err)
	}
	if s.task, err = cluster.UnknownTask(t.Context(), &s.undo, s.node, s.live.Driver.Staged("vol-"+s.live.Shared)); err != nil {
		t.Fatal(err)
	}
	if s.removing, err = incidents.NewRemovingContainer(t.Context(), cluster, &s.undo, s.node); err != nil {
		t.Fatal(err)
	}
}

// fuse is the name of a leaked volume whose daemon hangs.
func (s *storage) fuse() string { return "d-" + s.namespace + "-fuse" }
