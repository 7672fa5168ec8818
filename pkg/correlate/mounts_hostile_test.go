package correlate

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// incident is a node with so many leaked volumes: each staged, copied below the
// root directory of a container that is being removed, and seen by thirty
// namespaces.
func incident(volumes int) *mountNode {
	b := newMountNode()
	b.logDaemon()
	merged := b.dead("removing")
	first := len(b.Mounts.Filesystems)
	for i := range volumes {
		number, name := fmt.Sprintf("253:%d", 1000+i), fmt.Sprintf("d-%05d", i)
		point := kubelet + "/plugins/kubernetes.io/csi/pv/" + name + "/globalmount"
		b.Mounts.Filesystems = append(b.Mounts.Filesystems, report.Filesystem{Number: number, Type: "ext4", Source: "/dev/vd" + name})
		for _, p := range []string{point, strings.Replace(point, "/var/lib", "/data", 1), merged + "/logxxx_host" + point, merged + "/logxxx_host/data" + point} {
			b.Mounts.List = append(b.Mounts.List, report.Mount{ID: 1000 + len(b.Mounts.List), FS: first + i, Point: p})
		}
		b.Devices.List = append(b.Devices.List, report.Device{Number: number, Name: "vd" + name, Threads: 3, ThreadsSince: 6000})
	}
	set := report.IndexSet(fmt.Sprintf("%d-%d", first, first+volumes-1))
	for i := range 30 {
		b.Mounts.Namespaces = append(b.Mounts.Namespaces, report.MountNamespace{Inode: uint64(100 + i), PID: 70, Groups: []report.MountGroup{{Entry: "/logxxx_host", Receives: true, Mounts: 4 * volumes, Filesystems: set}}})
	}
	return b
}

func TestIncidentAtItsScale(t *testing.T) {
	const volumes = 6385
	b := incident(volumes)
	m := Join(b.NodeReport, b.inv).Mounts()
	if l := m.Leaked; l.Volumes != volumes || l.Roots != 1 || l.Copies != 2*volumes+1 || l.KernelThreads != 3*volumes || l.Devices != volumes || l.Mounts < 3*volumes {
		t.Errorf("got %+v", l)
	}
	a, z := &m.Volumes[0].Holders, &m.Volumes[volumes-1].Holders
	if len(*a) != 31 || &(*a)[0] != &(*z)[0] {
		t.Errorf("%d holders, to be shared by all volumes", len(*a))
	}
	if len(m.Holders) != 31 || len(m.Volumes[0].HeldBy) != 31 {
		t.Errorf("%d holders to print, to be said once", len(m.Holders))
	}
}

func TestManyVolumesThatShareNoHolder(t *testing.T) {
	b := incident(6385)
	for i := range b.Mounts.List { // each is a mount point of its own in the container
		b.Mounts.List[i].Point = strings.Replace(b.Mounts.List[i].Point, "/logxxx_host", fmt.Sprintf("/%d", i), 1)
	}
	m := Join(b.NodeReport, b.inv).Mounts()
	if h := m.Volumes[6384].Holders; len(m.Gaps) > 0 || len(h) != 32 {
		t.Errorf("%d holders of the last, gaps %+v", len(h), m.Gaps)
	}
}

func TestHoldersOfVolumesThatAreKept(t *testing.T) {
	b := newMountNode()
	b.stage()
	b.bind(uid)
	b.api()
	b.mount("253:96", "ext4", "/dev/vdg", "", kubelet+"/plugins/kubernetes.io/csi/pv/d-gone/globalmount")
	b.namespace(8, 21, "/", "253:80")
	b.namespace(9, 21, "/", "253:96")
	m := Join(b.NodeReport, b.inv).Mounts()
	before := len(m.Holders)
	m.Keep(m.Volumes[:1])
	v := m.Volumes[0]
	if before < 2 || v.Name != "d-gone" || len(m.Holders) != 1 || len(v.HeldBy) != 1 || v.HeldBy[0] != 0 || m.Holders[0].Namespace != 9 {
		t.Errorf("%d holders before, %d after, %+v", before, len(m.Holders), v)
	}
}

func BenchmarkMounts(b *testing.B) {
	node := incident(6385)
	for b.Loop() {
		Join(node.NodeReport, node.inv).Mounts()
	}
}

func TestHostileMounts(t *testing.T) {
	for name, change := range map[string]func(*mountNode){
		"filesystems out of range": func(b *mountNode) {
			b.Mounts.List[0].FS, b.Mounts.List[1].FS = -1, 1<<40
			b.Mounts.Uses = []report.MountUse{{FS: -1, What: "root"}, {FS: 1 << 40, What: "cwd"}}
			b.namespace(5, 21, "/x")
			b.Mounts.Namespaces[len(b.Mounts.Namespaces)-1].Groups[0].Filesystems = "0-99999999"
		},
		"sets that would be thousands of millions": func(b *mountNode) {
			for i := range 50_000 {
				b.Mounts.Filesystems = append(b.Mounts.Filesystems, report.Filesystem{Number: fmt.Sprintf("8:%d", i)})
			}
			for range 10_000 {
				b.Mounts.Namespaces = append(b.Mounts.Namespaces, report.MountNamespace{Groups: []report.MountGroup{{Entry: "/", Filesystems: "0-49999"}, {Entry: "/", Filesystems: "9-1"}}})
			}
		},
		"nothing but sections": func(b *mountNode) {
			*b.NodeReport = report.NodeReport{Mounts: &report.Mounts{Left: -5, List: []report.Mount{{}}, Namespaces: []report.MountNamespace{{}}}, Kubelet: &report.Kubelet{RootDir: "../.."}}
		},
		"paths": func(b *mountNode) {
			for _, p := range []string{"", "//", "/pods", kubelet, kubelet + "/", kubelet + "/plugins/", kubelet + "/pods/" + uid + "/volumes//", "/overlay2//merged", "/overlay2/x/merged", "/aufs/mnt/", strings.Repeat("/pods/"+uid, 3000), "\x1b"} {
				b.mount("0:99", "", "", p, p)
			}
			b.Containers.List = append(b.Containers.List, report.Container{Rootfs: "/"}, report.Container{ID: "x", Rootfs: "x"})
			b.Kubelet = &report.Kubelet{RootDir: "/"}
		},
		"times that no calendar has": func(b *mountNode) {
			b.stage().ThreadsSince = 1 << 63
			b.wrote("/plugins/kubernetes.io/csi/pv/" + pv)
			b.Mounts.VolumeData[0].Written = 1 << 60
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMountNode()
			change(b)
			if _, err := json.Marshal(Join(b.NodeReport, b.inv).Mounts()); err != nil {
				t.Error(err)
			}
		})
	}
	b := newMountNode()
	b.Mounts.Namespaces = append(b.Mounts.Namespaces, report.MountNamespace{Groups: []report.MountGroup{{Entry: "/x", Filesystems: "9-1"}}})
	if gaps := Join(b.NodeReport, b.inv).Mounts().Gaps; len(gaps) != 1 || gaps[0].What != "who holds the volumes" {
		t.Errorf("gaps %+v", gaps)
	}
}

// FuzzMounts makes mounts, namespaces and containers of lines of text.
func FuzzMounts(f *testing.F) {
	f.Add("0 / "+staging+"\n1 /vdb//deleted "+kubelet+"/plugins/kubernetes.io/csi/volumeDevices/publish/x/"+uid, "0-1", "/var/lib/docker/overlay2/x/merged", kubelet)
	f.Add("1  /var/lib/docker/overlay2/x/merged/host"+staging+"\n0  /pods/"+uid+"/volumes/a~b/c/mount", "0", "", "/data/../k")
	f.Add("9 x /aufs/mnt/y\n-1", "1,0", "/aufs/mnt/y", "")
	f.Fuzz(func(t *testing.T, mounts, set, rootfs, dir string) {
		b := newMountNode()
		b.Kubelet = &report.Kubelet{PID: 1, RootDir: dir}
		b.Containers.List = append(b.Containers.List, report.Container{ID: deadID, Rootfs: rootfs, State: "dead"})
		for i, line := range strings.Split(mounts, "\n") {
			var m report.Mount
			if _, err := fmt.Sscan(line, &m.FS, &m.Root, &m.Point); err == nil || m.FS != 0 {
				m.ID, m.Parent = i%7, i%5
				b.Mounts.List = append(b.Mounts.List, m)
				b.Mounts.VolumeData = append(b.Mounts.VolumeData, report.VolumeData{Dir: m.Root, SpecVolID: m.Point})
				b.Mounts.Uses = append(b.Mounts.Uses, report.MountUse{FS: m.FS, What: m.Root, Path: m.Point})
			}
		}
		b.Mounts.Namespaces = append(b.Mounts.Namespaces, report.MountNamespace{PID: 21, Groups: []report.MountGroup{{Entry: rootfs, Filesystems: report.IndexSet(set)}}})
		m := Join(b.NodeReport, b.inv).Mounts()
		listed := 0
		for i := range m.Volumes {
			v := &m.Volumes[i]
			if listed += len(v.Mounts); v.Leaked > len(v.Mounts) || v.State == VolumeLeaked && len(v.Reasons) == 0 {
				t.Errorf("volume %+v", v)
			}
		}
		if listed > len(b.Mounts.List) || m.Leaked.Mounts > listed {
			t.Errorf("%d mounts in volumes, %d leaked, of %d", listed, m.Leaked.Mounts, len(b.Mounts.List))
		}
	})
}
