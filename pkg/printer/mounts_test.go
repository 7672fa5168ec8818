package printer

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func leakedVolume(i int, holders ...*correlate.Holder) correlate.Volume {
	name := fmt.Sprintf("d-bp1%05d", i)
	v := correlate.Volume{Name: name, Driver: "diskplugin.csi.alibabacloud.com", Handle: name, Claim: "prod/data-" + name, Type: "ext4", State: correlate.VolumeLeaked,
		Device:  &report.Device{Number: fmt.Sprintf("253:%d", i), Name: fmt.Sprintf("vd%c%d", 'b'+i%20, i)},
		Reasons: []correlate.Reason{{Reason: correlate.PVGone, Text: "PersistentVolume is not in the API"}, {Reason: correlate.NotAttached}},
		Mounts: []correlate.VolumeMount{{Mount: report.Mount{Point: "/var/lib/kubelet/plugins/kubernetes.io/csi/pv/" + name + "/globalmount"}, Staging: true, Leaked: true},
			{Mount: report.Mount{Point: "/var/lib/docker/overlay2/x/merged/logxxx_host/var/lib/kubelet/plugins/kubernetes.io/csi/pv/" + name + "/globalmount"}, Leaked: true}},
		AllMounts: 62, Copies: 1, Leaked: 2, Holders: holders, KernelThreads: 3, Since: new(time.Unix(1_700_000_000+int64(i)*3600, 0))}
	return v
}

func logHolder(pod string) *correlate.Holder {
	return &correlate.Holder{PID: 2711, Comm: "logxxx", Entry: "/logxxx_host",
		Owner: correlate.Owner{Type: correlate.OwnerPod, Namespace: "kube-system", Pod: pod, PodState: correlate.PodKnown, Workload: "DaemonSet/logxxx-ds", Container: "logxxx"},
		Via:   &correlate.Via{Volume: "host", HostPath: "/", MountPath: "/logxxx_host", Propagation: "HostToContainer"}}
}

func dockerHolder() *correlate.Holder {
	return &correlate.Holder{PID: 88, Comm: "dockerd", Entry: "/", Owner: correlate.Owner{Type: correlate.OwnerUnit, Unit: "docker.service"}}
}

func sickMounts(name string, leaked int) MountsNode {
	cpu := 96.4
	m := &correlate.NodeMounts{Node: name, HostMounts: 2*leaked + 214, AllMounts: 62*leaked + 900, Namespaces: 31, Devices: leaked + 5, KernelThreads: 3*leaked + 15,
		Leaked:       correlate.LeakTotals{Volumes: leaked, Mounts: 2 * leaked, Copies: leaked, AllMounts: 62 * leaked, Devices: leaked, KernelThreads: 3 * leaked, Unknown: 1},
		Kubelet:      &correlate.KubeletUse{PID: 900, CPUPercent: &cpu, RSSBytes: 800 << 20},
		ByFilesystem: []correlate.MountCount{{Name: "ext4", Mounts: 2 * leaked, Devices: leaked, Leaked: 2 * leaked}, {Name: "tmpfs", Mounts: 150}},
		ByDriver:     []correlate.MountCount{{Name: "diskplugin.csi.alibabacloud.com", Mounts: 2 * leaked, Devices: leaked, Leaked: 2 * leaked}},
		ByOwner:      []correlate.MountCount{{Name: "kube-system/logxxx-ds-" + name, Mounts: leaked, Devices: leaked, Leaked: leaked}},
	}
	for i := range leaked {
		holders := []*correlate.Holder{logHolder("logxxx-ds-" + name)}
		if i%3 == 0 {
			holders = append(holders, dockerHolder())
		}
		v := leakedVolume(i, holders...)
		if i == 1 {
			v.Processes = []correlate.VolumeProcess{{PID: 4711, Comm: "tail", What: "fd"}}
		}
		m.Volumes = append(m.Volumes, v)
	}
	if leaked > 3 {
		m.Volumes[3].Holders = nil
	}
	m.Volumes = append(m.Volumes, correlate.Volume{Name: "nas-1", Type: "nfs4", State: correlate.VolumeUnknown, Unknown: `persistentvolumes is forbidden: User "dev" cannot list resource "persistentvolumes"`})
	owner := logHolder("logxxx-ds-" + name).Owner
	return MountsNode{Node: name, State: NodeAnswered, NodeMounts: m, Findings: []diagnose.Finding{{ID: "mounts-leaked", Severity: diagnose.Critical, Subject: &owner,
		Summary: fmt.Sprintf("%d volumes are leaked, held by DaemonSet/logxxx-ds", leaked), Evidence: []string{"their PersistentVolumes are gone"},
		Remedy: []diagnose.Step{{Do: "write the umounts", Run: "kubectl nodedoc mounts " + name + " --script > umount.sh"}}}}}
}

func healthyMounts(name string) MountsNode {
	return MountsNode{Node: name, State: NodeAnswered, NodeMounts: &correlate.NodeMounts{Node: name, HostMounts: 71, AllMounts: 900, Namespaces: 12, Devices: 5, KernelThreads: 15,
		Kubelet: &correlate.KubeletUse{PID: 900}, ByFilesystem: []correlate.MountCount{{Name: "tmpfs", Mounts: 71}}}}
}

func deadNodes() []MountsNode {
	return []MountsNode{{Node: "node-7", State: NodeFailed, Reason: "not ready since 2026-11-21T20:00:00Z: the kubelet stopped posting its status; name it to try"},
		{Node: "node-8", State: NodeFailed, Reason: "the pod did not start within 1m0s: ErrImageNeverPull"},
		{Node: "fargate-1", State: NodeSkipped, Reason: `node "fargate-1" is virtual (AWS Fargate): there is no machine behind it to diagnose`},
		{Node: "node-9", State: NodeMissing, Reason: "interrupted"}}
}

type mountsPrinter func(io.Writer, []MountsNode, Style) error

func showMounts(print mountsPrinter, top int, nodes ...MountsNode) show {
	return func(t *testing.T, s Style) string {
		s.Top = top
		var b bytes.Buffer
		if err := print(&b, nodes, s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
}

func TestMounts(t *testing.T) {
	fleet := append([]MountsNode{healthyMounts("node-1"), sickMounts("node-43", 6385), sickMounts("node-44", 12)}, deadNodes()...)
	hostile := sickMounts("node-43", 2)
	hostile.Volumes[0].Name = `evil\x1b[2J\u202e漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字`
	live := sickMounts("node-43", 1)
	live.Volumes[0].State, live.Volumes[0].Leaked = correlate.VolumeLive, 1
	unknown, roots := healthyMounts("node-2"), healthyMounts("node-2")
	unknown.Leaked.Unknown = 2
	roots.Leaked = correlate.LeakTotals{Roots: 1, Mounts: 28} // copies of the node's own directories only
	for name, show := range map[string]show{
		"mounts-fleet-unknown":  showMounts(Mounts, 20, healthyMounts("node-1"), unknown),
		"mounts-fleet-roots":    showMounts(Mounts, 20, healthyMounts("node-1"), roots),
		"mounts-sick":           showMounts(Mounts, 5, sickMounts("node-43", 6385)),
		"mounts-healthy":        showMounts(Mounts, 20, healthyMounts("node-1")),
		"mounts-fleet":          showMounts(Mounts, 20, fleet...),
		"mounts-fleet-healthy":  showMounts(Mounts, 20, healthyMounts("node-1"), healthyMounts("node-2"), healthyMounts("node-3")),
		"mounts-fleet-dead":     showMounts(Mounts, 20, deadNodes()...),
		"leaked-sick":           showMounts(LeakedVolumes, 20, sickMounts("node-43", 6385)),
		"leaked-few":            showMounts(LeakedVolumes, 20, sickMounts("node-43", 4)),
		"leaked-partly":         showMounts(LeakedVolumes, 20, live),
		"leaked-hostile":        showMounts(LeakedVolumes, 20, hostile),
		"leaked-roots":          showMounts(LeakedVolumes, 20, deadRoots()),
		"leaked-none":           showMounts(LeakedVolumes, 20, healthyMounts("node-1")),
		"leaked-fleet":          showMounts(LeakedVolumes, 6, fleet...),
		"leaked-none-in-fleet":  showMounts(LeakedVolumes, 20, healthyMounts("node-1"), healthyMounts("node-2"), healthyMounts("node-3")),
		"mounts-diff":           showMounts(MountsDiffs, 4, diffOf(t)),
		"mounts-diff-all-gone":  showMounts(MountsDiffs, 20, diffAllGone()),
		"mounts-diff-unknown":   showMounts(MountsDiffs, 20, diffUnknown(), diffSame()),
		"mounts-diff-unmatched": showMounts(MountsDiffs, 20, MountsNode{Node: "node-2", State: NodeAnswered, NodeMounts: &correlate.NodeMounts{}, Reason: "not in the older report"}, deadNodes()[1]),
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, show) })
	}
}

func diffOf(t *testing.T) MountsNode {
	t.Helper()
	n := sickMounts("node-43", 3)
	why := []correlate.LeakReason{correlate.PVGone}
	n.Diff = &MountsDiff{Since: new(time.Unix(1_700_000_000, 0)), Rebooted: true,
		New:    []VolumeChange{{Name: "d-new", Driver: "ebs.csi.aws.com", Device: "nvme9n1", Why: why, Now: 2}},
		Left:   []VolumeChange{{Name: "d-left", Driver: "ebs.csi.aws.com", Device: "nvme8n1", Why: why, Before: 4, Now: 2}},
		Gone:   []VolumeChange{{Name: "d-1", Driver: "ebs.csi.aws.com", Why: why, Before: 2}, {Name: "d-2", Before: 3, State: correlate.VolumeLive}, {Name: "d-3", Before: 1}},
		Before: MountTotals{HostMounts: 26522, AllMounts: 823000, Devices: 6390, KernelThreads: 19155, LeakedVolumes: 4, LeakedMounts: 10}, Now: TotalsOf(n.NodeMounts)}
	return n
}

func diffAllGone() MountsNode {
	n := healthyMounts("node-1")
	n.Diff = &MountsDiff{Gone: []VolumeChange{{Name: "d-1", Driver: "ebs.csi.aws.com", Before: 2}}, Before: TotalsOf(n.NodeMounts), Now: TotalsOf(n.NodeMounts)}
	return n
}

// diffUnknown is a node whose API server may not be asked any more.
func diffUnknown() MountsNode {
	n := healthyMounts("node-1")
	n.Leaked.Unknown, n.ThreadsUnseen = 2, true
	n.Gaps = []report.Unreadable{{What: "PersistentVolumes", Cause: "forbidden"}}
	n.Diff = &MountsDiff{Before: TotalsOf(n.NodeMounts), Now: TotalsOf(n.NodeMounts), Gone: []VolumeChange{}, Left: []VolumeChange{},
		New:     []VolumeChange{{Name: "d-3", Driver: "ebs.csi.aws.com", Now: 2, Was: correlate.VolumeUnknown, Why: []correlate.LeakReason{correlate.DeviceEmpty, correlate.DeviceErrors, correlate.DeviceErrors}}},
		Unknown: []VolumeChange{{Name: "d-1", Driver: "ebs.csi.aws.com", Before: 2, State: correlate.VolumeUnknown}, {Name: "d-2", Driver: "ebs.csi.aws.com", Before: 1, State: correlate.VolumeUnknown}}}
	return n
}

func diffSame() MountsNode {
	n := healthyMounts("node-2")
	n.Diff = &MountsDiff{Before: TotalsOf(n.NodeMounts), Now: TotalsOf(n.NodeMounts)}
	return n
}

// deadRoots is a node with two dead containers: below the root of one there are
// copies of volumes, of whom nobody could ask for one.
func deadRoots() MountsNode {
	n := healthyMounts("node-1")
	dead := correlate.Owner{Type: correlate.OwnerPod, Namespace: "kube-system", Pod: "logxxx-ds-hsbv9", PodUID: "93e182b4", PodState: correlate.PodGone, Container: "logxxx", ContainerID: "e4261544f8eb5a5a"}
	other := correlate.Owner{Type: correlate.OwnerContainer, ContainerID: "0d0d0d0d0d0d0d0d"}
	copies := correlate.Holder{Owner: dead, Root: "/var/lib/docker/overlay2/9c/merged", Why: correlate.ContainerDead, Mounts: 1, Entry: "/logxxx_host"}
	copies.Owner.Workload = "DaemonSet/logxxx-ds" // by its successor
	used, unknown := leakedVolume(1, &copies), leakedVolume(2, &copies)
	used.State, used.Leaked, used.Reasons = correlate.VolumeLive, 1, []correlate.Reason{{Reason: correlate.ContainerDead}}
	unknown.State, unknown.Leaked, unknown.Reasons, unknown.Unknown = correlate.VolumeUnknown, 1, used.Reasons, "pods is forbidden"
	n.Volumes = []correlate.Volume{
		{Name: "root directory of container e4261544f8eb5", Container: &dead, Type: "ext4", State: correlate.VolumeLeaked, Leaked: 184, Copies: 184, Reasons: used.Reasons},
		leakedVolume(0, &copies), used, unknown,
		{Name: "root directory of container 0d0d0d0d0d0d0", Container: &other, Type: "ext4", State: correlate.VolumeLeaked, Leaked: 1, Copies: 1, Reasons: []correlate.Reason{{Reason: correlate.ContainerUnknown}}}}
	n.Leaked = correlate.LeakTotals{Volumes: 1, Parts: 2, Roots: 2, Mounts: 189, Copies: 188, AllMounts: 189, Unknown: 1}
	return n
}

// Who looks with mount(8) on the node finds none of these.
func TestMountsOfTheKubeletsNamespace(t *testing.T) {
	n := sickMounts("node-1", 0)
	n.KubeletNamespace = 77
	var b bytes.Buffer
	if err := Mounts(&b, []MountsNode{n}, Style{Width: 400}); err != nil {
		t.Fatal(err)
	}
	const want = "; these are the mounts of the kubelet's own mount namespace, which a shell on the node does not see (nsenter -t 77 -m)\n"
	if !strings.Contains(b.String(), want) {
		t.Errorf("got %s", b.String())
	}
}

func TestLeakedWide(t *testing.T) {
	n := sickMounts("node-43", 4)
	n.Volumes[0].Holders = append(n.Volumes[0].Holders, &correlate.Holder{Why: correlate.ContainerDead}, &correlate.Holder{PID: 88, Entry: "/other"}) // no process, and one twice
	text := showMounts(LeakedVolumes, 1, n)(t, Style{Wide: true, Width: 80})
	for _, want := range []string{"d-bp100000", "prod/data-d-bp100000", "  2711,88  ", "/var/lib/kubelet/plugins/kubernetes.io/csi/pv/d-bp100000/globalmount /var/lib/docker"} {
		if !bytes.Contains([]byte(text), []byte(want)) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
