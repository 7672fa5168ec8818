package correlate

import "testing"

// What is mounted for the pod that looks, and what a dead container has copied of
// that, is gone with the pod.
func TestThePodThatLooksIsNoLeak(t *testing.T) {
	b := newMountNode()
	b.Probe.PID = 21
	host := b.dead("removing") + "/logxxx_host"
	b.mount("0:51", "tmpfs", "tmpfs", "", host+dirOfPod(uid)+"/volumes/kubernetes.io~projected/kube-api-access-x")
	b.mount("0:50", "overlay", "overlay", "", host+"/run/containerd/io.containerd.runtime.v2.task/k8s.io/"+id+"/rootfs")
	rows := expect(t, b, "root directory of container e4261544f8eb0 (logxxx of kube-system/logxxx-ds-hsbv9) leaked 2/2 container-dead").ByOwner
	for _, row := range rows {
		if row.Owner != nil && row.Owner.PodUID == uid {
			t.Errorf("counted as %+v", row)
		}
	}
	b.Probe.PID = 1 // somebody else looks
	if m := Join(b.NodeReport, b.inv).Mounts(); m.Leaked.Copies != 3 {
		t.Errorf("%d copies are leaked, want 3", m.Leaked.Copies)
	}
}
