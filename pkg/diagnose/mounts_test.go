package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	deadPodUID = "0badf00d-1f00-4c6e-9d51-0242ac120002"
	kubeletDir = "/var/lib/kubelet"
	merged     = "/var/lib/docker/overlay2/9caa/merged"
)

var deadContainer = "e4261544f8eb" + strings.Repeat("0a1b", 13)

// leakyNode has so many staged volumes that no PersistentVolume is of, and a copy
// of each below the root directory of a container in this state.
func leakyNode(volumes int, state string) (*report.NodeReport, *inventory.Inventory) {
	r := newNode()
	add(r, process(1, "systemd", inSystemd, 1, 1), process(9, "agent", inPod, 1, 1))
	r.Containers.List = append(r.Containers.List, report.Container{ID: deadContainer, Runtime: "docker", Name: "logxxx", PodUID: deadPodUID, PodName: "logxxx-ds-hsbv9", PodNamespace: "kube-system", State: state, Rootfs: merged})
	r.Mounts = &report.Mounts{Filesystems: []report.Filesystem{{Number: "253:1", Type: "ext4", Source: "/dev/vda1"}, {Number: "0:60", Type: "overlay", Source: "overlay"}},
		List: []report.Mount{{ID: 1, Point: "/"}}, Namespaces: []report.MountNamespace{{Inode: 1, Host: true, PID: 1}}}
	r.Devices = &report.Devices{}
	if state != "" {
		r.Mounts.List = append(r.Mounts.List, report.Mount{ID: 2, FS: 1, Point: merged}, report.Mount{ID: 3, Point: merged + "/logxxx_host"})
	}
	for i := range volumes {
		number, name := fmt.Sprintf("253:%d", 16+i), fmt.Sprintf("d-%d", i)
		point := kubeletDir + "/plugins/kubernetes.io/csi/pv/" + name + "/globalmount"
		fs := len(r.Mounts.Filesystems)
		r.Mounts.Filesystems = append(r.Mounts.Filesystems, report.Filesystem{Number: number, Type: "ext4", Source: "/dev/vd" + name})
		r.Mounts.List = append(r.Mounts.List, report.Mount{ID: 10 + 2*i, FS: fs, Point: point})
		if state != "" {
			r.Mounts.List = append(r.Mounts.List, report.Mount{ID: 11 + 2*i, FS: fs, Point: merged + "/logxxx_host" + point})
		}
		r.Devices.List = append(r.Devices.List, report.Device{Number: number, Name: fmt.Sprintf("vdx%d", i), Threads: 3, ThreadsSince: 100})
	}
	inv := hubInventory()
	inv.Storage = &inventory.Storage{}
	inv.Pods = append(inv.Pods, inventory.Pod{Namespace: "kube-system", Name: "logxxx-ds-abcde", UID: "x", Workload: "DaemonSet/logxxx-ds",
		Volumes:      []inventory.Volume{{Name: "host", HostPath: "/"}},
		VolumeMounts: []inventory.VolumeMount{{List: "containers", Container: "logxxx", Volume: "host", Path: "/logxxx_host", Propagation: "HostToContainer"}}})
	return r, inv
}

func TestLeakedMountsAreOneFinding(t *testing.T) {
	cpu := 2022.0
	r, inv := leakyNode(1200, "removing")
	r.Kubelet = &report.Kubelet{PID: 2, RootDir: kubeletDir, CPUPercent: &cpu}
	findings := diagnosed(r, inv)
	if len(findings) != 1 {
		t.Fatalf("got %+v", findings)
	}
	f := findings[0]
	if want := "1,200 leaked volumes, 2,402 leaked mounts, 3,600 kernel threads; held by kube-system/logxxx-ds-hsbv9, container logxxx (DaemonSet/logxxx-ds), gone"; f.Summary != want {
		t.Errorf("got  %s\nwant %s", f.Summary, want)
	}
	if f.ID != MountsLeaked || f.Severity != Critical || f.Subject == nil || f.Subject.Pod != "logxxx-ds-hsbv9" {
		t.Errorf("got %+v", f)
	}
	want := []string{
		"1,200 × no such PersistentVolume in the API, 1,201 × copies below a dead container's root directory, 1,200 × staged for no pod of this node",
		"e.g. d-0 on vdx0: PersistentVolume d-0 is not in the API",
		"1,200 copies of them below " + merged + ", the root directory of kube-system/logxxx-ds-hsbv9, container logxxx (DaemonSet/logxxx-ds), gone",
		"they came in by hostPath / at /logxxx_host, mountPropagation HostToContainer (spec.containers[name=logxxx].volumeMounts[name=host]), a volumeMount of kube-system/DaemonSet/logxxx-ds",
		"the kubelet (process 2) takes 2022 % of a core, as one does that tries in vain to unmount so many"}
	if !slices.Equal(f.Evidence, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(f.Evidence, "\n"), strings.Join(want, "\n"))
	}
	if len(f.Remedy) != 2 || f.Remedy[0].Run != "kubectl nodedoc mounts node-43 --leaked --script > umount.sh" || !strings.Contains(f.Remedy[1].Do, "kube-system/DaemonSet/logxxx-ds") {
		t.Errorf("remedy %+v", f.Remedy)
	}
}

// Of a dead container whose pod has no successor only its root directory is known.
func TestLeakedMountsOfADeadContainerWithoutASuccessor(t *testing.T) {
	cpu, errors := 4.0, uint64(2)
	r, inv := leakyNode(60, "removing")
	inv.Pods = inv.Pods[:1]
	r.Kubelet = &report.Kubelet{PID: 2, RootDir: kubeletDir, CPUPercent: &cpu}
	r.Devices.List[0].FSErrors, r.Devices.List[0].LogErrors = &errors, 3
	f := diagnosed(r, inv)
	want := []string{
		"60 × no such PersistentVolume in the API, 1 × device or filesystem errors, 61 × copies below a dead container's root directory, 60 × staged for no pod of this node",
		"e.g. d-0 on vdx0: PersistentVolume d-0 is not in the API",
		"60 copies of them below " + merged + ", the root directory of kube-system/logxxx-ds-hsbv9, container logxxx, gone"}
	if len(f) != 1 || !slices.Equal(f[0].Evidence, want) { // a kubelet that takes little is no evidence
		t.Errorf("got %+v\nwant %s", f, strings.Join(want, "\n"))
	}
}

// Copies of the node's own directories are no volumes.
func TestLeakedMountsOfNoVolume(t *testing.T) {
	r, inv := leakyNode(0, "removing")
	f := diagnosed(r, inv)
	want := "2 mounts below the root directory of container e4261544f8eb0 (logxxx of kube-system/logxxx-ds-hsbv9), which docker calls removing"
	if len(f) != 1 || f[0].Summary != "2 leaked mounts; held by kube-system/logxxx-ds-hsbv9, container logxxx, gone" || !slices.Equal(f[0].Evidence, []string{want}) {
		t.Errorf("got %+v, want %s", f, want)
	}
}

func TestLeakedMountsThatNobodyHolds(t *testing.T) {
	r, inv := leakyNode(2, "")
	f := diagnosed(r, inv)
	if len(f) != 1 || f[0].Severity != Warning || f[0].Subject != nil || f[0].Summary != "2 leaked volumes, 2 leaked mounts, 6 kernel threads" || len(f[0].Remedy) != 1 {
		t.Errorf("got %+v", f)
	}
}

// What propagation does not reach stays mounted when the host has unmounted it.
func TestLeakedMountsInANamespaceOfAPod(t *testing.T) {
	r, inv := leakyNode(1, "")
	r.Mounts.Namespaces = append(r.Mounts.Namespaces, report.MountNamespace{Inode: 5, PID: 9, Groups: []report.MountGroup{{Entry: "/host", Mounts: 2, Filesystems: "0,2"}}})
	inv.Pods[0].Volumes = []inventory.Volume{{Name: "root", HostPath: "/"}}
	inv.Pods[0].VolumeMounts = []inventory.VolumeMount{{List: "containers", Container: "agent", Volume: "root", Path: "/host"}}
	f := diagnosed(r, inv)
	if len(f) != 1 || f[0].Subject == nil || f[0].Subject.Pod != "hub-0" {
		t.Fatalf("got %+v", f)
	}
	if got := strings.Join(f[0].Evidence, "\n"); !strings.Contains(got, "process 9 (agent) has them mounted below /host in a namespace of its own") || !strings.Contains(got, "hostPath / at /host (spec.containers[name=agent].volumeMounts[name=root])") {
		t.Errorf("evidence %s", got)
	}
	if got := fmt.Sprint(f[0].Remedy); !strings.Contains(got, "kubectl -n prod delete pod hub-0") {
		t.Errorf("remedy %s", got)
	}
	inv.Pods[0].Volumes = []inventory.Volume{{Name: "root", Claim: "data"}}
	if got := fmt.Sprint(diagnosed(r, inv)[0].Remedy); strings.Contains(got, "narrower") {
		t.Errorf("it came in by no hostPath: %s", got)
	}
	list := r.Mounts.List
	r.Devices.List[0].Gone, r.Mounts.List = true, list[:1]
	if f := diagnosed(r, inv); len(f) != 1 || f[0].Summary != "1 leaked volume: no mount on the host any more, 3 kernel threads; held by prod/hub-0, container agent (StatefulSet/hub)" || strings.Contains(fmt.Sprint(f[0].Remedy), "--script") {
		t.Errorf("mounted in the pod only: %+v", f)
	}
	r.Devices.List[0].Gone, r.Mounts.List = false, list
	r.Mounts.Namespaces[1].Groups[0].Receives = true
	if f := diagnosed(r, inv); len(f) != 1 || f[0].Subject != nil {
		t.Errorf("an umount on the host reaches it: %+v", f)
	}
}

func TestHalfOfAllThreadsIsCritical(t *testing.T) {
	r, inv := leakyNode(10, "")
	for limit, want := range map[uint64]Severity{59: Critical, 61: Warning, 0: Warning} {
		r.Tasks = &report.Tasks{PIDMax: &limit}
		if f := diagnosed(r, inv); len(f) == 0 || f[0].ID != MountsLeaked || f[0].Severity != want {
			t.Errorf("30 threads of %d: %+v", limit, f)
		}
	}
}

func TestBrokenDeviceInUse(t *testing.T) {
	r, inv := leakyNode(1, "")
	errors := uint64(9)
	r.Devices.List[0].FSErrors, r.Devices.List[0].LastErrorAt = &errors, 1_700_000_000
	inv.Storage.PersistentVolumes = []inventory.PersistentVolume{{Name: "d-0"}}
	inv.Pods[0].Volumes = []inventory.Volume{{Name: "data", PersistentVolume: "d-0"}}
	f := diagnosed(r, inv)
	if len(f) != 1 || f[0].ID != MountsDeviceErrors || f[0].Severity != Warning || f[0].Subject.Pod != "hub-0" {
		t.Fatalf("got %+v", f)
	}
	if want := "volume d-0 on vdx0 is in use, and its device is broken: prod/hub-0 (StatefulSet/hub)"; f[0].Summary != want {
		t.Errorf("got %s", f[0].Summary)
	}
	if want := "the filesystem on vdx0 counts 9 errors, the last at 2023-11-14 22:13:20 UTC"; f[0].Evidence[0] != want {
		t.Errorf("got %s", f[0].Evidence[0])
	}
	r.Devices.List[0].Name = "$(reboot)"
	if got := fmt.Sprint(diagnosed(r, inv)[0].Remedy); strings.Contains(got, "reboot") {
		t.Errorf("a command with a name that the node chose: %s", got)
	}
}

func TestMountedNowhereAndHeld(t *testing.T) {
	r, inv := leakyNode(0, "")
	add(r, process(77, "java", inPod, 1, 1))
	r.Devices.List = []report.Device{{Number: "7:300", Name: "loop300", BackingFile: "/img", Detached: "ext4", Threads: 2}, {Number: "8:0", Name: "sda"}}
	r.Devices.Detached = []report.DetachedUse{{PID: 77, Mount: 31, Count: 3, Path: "/data/a"}}
	f := diagnosed(r, inv)
	if len(f) != 1 || f[0].ID != MountsDetached || f[0].Subject == nil || f[0].Subject.Pod != "hub-0" {
		t.Fatalf("got %+v", f)
	}
	got := f[0].Summary + "\n" + strings.Join(f[0].Evidence, "\n")
	want := `ext4 on loop300 is mounted nowhere, and still in use: prod/hub-0, container agent (StatefulSet/hub)
loop300 (ext4, /img): 2 kernel threads
process 77 (java) of prod/hub-0, container agent (StatefulSet/hub) has 3 files open on a mount that is nowhere, e.g. /data/a`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if look := f[0].Remedy[1].Run; !strings.HasSuffix(look, "| grep -E '^(10072c) '") {
		t.Errorf("a look by %s", look)
	}
	r.Devices.Detached = nil
	if f := diagnosed(r, inv); len(f) != 1 || f[0].Subject != nil || !strings.Contains(f[0].Evidence[1], "working directory") {
		t.Errorf("held by no file: %+v", f)
	}
	r.Devices.List[0].Number = "7:$(reboot)"
	if f := diagnosed(r, inv); len(f) != 1 || strings.Contains(fmt.Sprint(f[0].Remedy), "reboot") {
		t.Errorf("a number that is none: %+v", f)
	}
}

// snapd and unshare --mount=FILE keep namespaces that no process lives in.
func TestMountedNowhereAndMaybeInANamespaceThatIsKept(t *testing.T) {
	r, inv := leakyNode(0, "")
	r.Devices.List = []report.Device{{Number: "7:3", Name: "loop3", Detached: "ext4"}}
	r.Mounts.Namespaces = append(r.Mounts.Namespaces, report.MountNamespace{Inode: 4026532513, PID: 9})
	nsfs := len(r.Mounts.Filesystems)
	r.Mounts.Filesystems = append(r.Mounts.Filesystems, report.Filesystem{Number: "0:4", Type: "nsfs"}, report.Filesystem{Number: "0:5", Type: "ext4"})
	for i, m := range []report.Mount{{FS: nsfs, Root: "mnt:[4026532512]", Point: "/run/snapd/ns/lxd.mnt"}, {FS: nsfs, Root: "mnt:[4026532512]", Point: "/again"},
		{FS: nsfs, Root: "mnt:[4026532513]", Point: "/run/kubens/mnt"}, {FS: nsfs, Root: "net:[4026532514]", Point: "/run/netns/a"},
		{FS: nsfs + 1, Root: "mnt:[4026532515]", Point: "/named/so"}, {FS: nsfs + 2, Root: "mnt:[4026532516]", Point: "/of/none"}} {
		m.ID, m.Parent = 9000+i, 1
		r.Mounts.List = append(r.Mounts.List, m)
	}
	f := diagnosed(r, inv)
	if len(f) != 1 || len(f[0].Evidence) != 3 || f[0].Evidence[1] != "/run/snapd/ns/lxd.mnt keeps a mount namespace that no process lives in: it may be mounted there" {
		t.Errorf("got %+v", f)
	}
}

func TestHealthyMountsYieldNothing(t *testing.T) {
	r, inv := leakyNode(3, "")
	for _, name := range []string{"d-0", "d-1", "d-2"} {
		inv.Storage.PersistentVolumes = append(inv.Storage.PersistentVolumes, inventory.PersistentVolume{Name: name})
		inv.Pods[0].Volumes = append(inv.Pods[0].Volumes, inventory.Volume{Name: name, PersistentVolume: name})
	}
	if f := diagnosed(r, inv); len(f) > 0 {
		t.Errorf("got %+v", f)
	}
	if f := diagnosed(r, nil); len(f) > 0 {
		t.Errorf("nobody was asked: %+v", f)
	}
}
