package correlate

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// What single words of the kernel and the API server change, beside what else is
// known of a volume.
func TestReasonsOneByOne(t *testing.T) {
	hidden := func(b *mountNode) { // mounted in a container only
		size := uint64(0)
		b.disk("253:96", "vdg").SizeBytes = &size
		b.namespace(9, 21, "/", "253:96")
	}
	for name, c := range map[string]struct {
		build func(*mountNode)
		want  []string
		says  string // of the first volume's first reason
	}{
		"a disk that was taken away, mounted in a container only": {hidden, []string{" leaked 0/0 device-empty"}, "size 0"},
		"the same, and not all of the host's mounts are known":    {func(b *mountNode) { hidden(b); b.Mounts.Left = 1 }, nil, ""},
		"nobody can say whether the driver attaches": {func(b *mountNode) {
			b.stage()
			b.api()
			b.inv.Storage.Attachments, b.inv.Storage.DriversError = nil, "forbidden"
		}, []string{"d-bp1 leaked 1/1 unused"}, "staged"},
		"a PersistentVolume of that name is another disk": {func(b *mountNode) {
			b.stage()
			b.wrote("/plugins/kubernetes.io/csi/pv/" + pv)
			b.inv.Storage.PersistentVolumes = []inventory.PersistentVolume{{Name: pv, Driver: driver, Handle: "d-2"}}
		}, []string{"d-bp1 leaked 1/1 pv-gone not-attached unused"}, "is another volume: this one's handle is d-1"},
		"the node's own disk, staged as a whole: it is mounted elsewhere, too": {func(b *mountNode) {
			b.mount("253:1", "ext4", "/dev/vda1", "", staging)
		}, []string{"d-bp1 leaked 1/1 pv-gone unused"}, "not in the API"},
		"a pod waits for a claim, and all PersistentVolumes are known": {func(b *mountNode) {
			b.stage()
			b.inv.Pods[0].Volumes = []inventory.Volume{{Name: "data", Claim: "data"}}
		}, []string{"d-bp1 leaked 1/1 pv-gone unused"}, "not in the API"},
		"a disk that the kernel calls dead": {func(b *mountNode) { b.stage().State = "dead"; b.api() },
			[]string{"d-bp1 leaked 1/1 device-errors unused"}, "is dead"},
		"a disk that the kernel calls offline": {func(b *mountNode) { b.stage().State = "offline"; b.api() },
			[]string{"d-bp1 leaked 1/1 device-errors unused"}, "is offline"},
		"a directory that was removed while it was mounted is no device": {func(b *mountNode) {
			b.mount("253:80", "ext4", "/dev/vdf", "/x//deleted", dirOfPod(goneUID)+"/volumes/kubernetes.io~csi/"+pv+"/mount")
		}, []string{"d-bp1 leaked 1/1 pod-gone"}, "pod"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMountNode()
			c.build(b)
			m := expect(t, b, c.want...)
			if len(c.want) > 0 && !strings.Contains(m.Volumes[0].Reasons[0].Text, c.says) {
				t.Errorf("says %+v, want %q", m.Volumes[0].Reasons, c.says)
			}
		})
	}
}

// A note that the kubelet wrote before the node was started last says nothing of
// this mount's age.
func TestNoteFromBeforeTheBoot(t *testing.T) {
	for _, written := range []int64{-1, 0, 5} { // seconds after the boot
		b := newMountNode()
		b.mount("253:80", "ext4", "/dev/vdf", "", staging)
		b.Node.BootTime = 1_700_000_000
		b.wrote("/plugins/kubernetes.io/csi/pv/" + pv).Written = b.Node.BootTime + written
		v := Join(b.NodeReport, b.inv).Mounts().Volumes[0]
		if v.Name != pv || (v.Since != nil) != (written >= 0) || v.Since != nil && v.Since.Unix() != b.Node.BootTime+written {
			t.Errorf("written %d s after the boot: %s since %v", written, v.Name, v.Since)
		}
	}
}
