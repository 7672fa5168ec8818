package correlate

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	uid    = "93e182b4-1f00-4c6e-9d51-0242ac120002"
	uidDir = "93e182b4_1f00_4c6e_9d51_0242ac120002"
	victim = "e13c3afb-d0a2-425e-9296-50ae995d0603"
	static = "5f0e4b7c6a1d2e3f4a5b6c7d8e9f0a1b"
)

var (
	id    = "82414f376d1f" + strings.Repeat("0a1b", 13)
	other = "e4261544f8eb" + strings.Repeat("1c2d", 13)
)

func TestParseCgroupPath(t *testing.T) {
	for name, c := range map[string]struct {
		path string
		want Place
	}{
		"cgroupfs, besteffort, docker or containerd": {"/kubepods/besteffort/pod" + uid + "/" + id, Place{PodUID: uid, ContainerID: id}},
		"cgroupfs, guaranteed":                       {"/kubepods/pod" + uid + "/" + id, Place{PodUID: uid, ContainerID: id}},
		"cgroupfs, cri-o":                            {"/kubepods/burstable/pod" + uid + "/crio-" + id, Place{PodUID: uid, ContainerID: id}},
		"systemd, containerd":                        {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uidDir + ".slice/cri-containerd-" + id + ".scope", Place{PodUID: uid, ContainerID: id}},
		"systemd, guaranteed, docker":                {"/kubepods.slice/kubepods-pod" + uidDir + ".slice/docker-" + id + ".scope", Place{PodUID: uid, ContainerID: id}},
		"systemd, cri-o":                             {"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + uidDir + ".slice/crio-" + id + ".scope", Place{PodUID: uid, ContainerID: id}},
		"crun makes a child":                         {"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + uidDir + ".slice/crio-" + id + ".scope/container", Place{PodUID: uid, ContainerID: id}},
		"cri-o's monitor":                            {"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + uidDir + ".slice/crio-conmon-" + id + ".scope", Place{PodUID: uid, ContainerID: id, Monitor: true}},
		"static pod":                                 {"/kubepods/burstable/pod" + static + "/" + id, Place{PodUID: static, ContainerID: id}},
		"static pod, systemd":                        {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + static + ".slice/cri-containerd-" + id + ".scope", Place{PodUID: static, ContainerID: id}},
		"pod's own cgroup":                           {"/kubepods/burstable/pod" + uid, Place{PodUID: uid}},
		"pods' root":                                 {"/kubepods.slice", Place{}},
		"kubelet's --cgroup-root":                    {"/nd-node-1/kubepods/besteffort/pod" + uid + "/" + id, Place{PodUID: uid, ContainerID: id}},
		"kind":                                       {"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod" + uidDir + ".slice/cri-containerd-" + id + ".scope", Place{PodUID: uid, ContainerID: id}},
		"kind, from its host":                        {"/docker/" + other + "/kubelet/kubepods/besteffort/pod" + uid + "/" + id, Place{PodUID: uid, ContainerID: id, Outer: other}},
		"kind on systemd, from its host":             {"/system.slice/docker-" + other + ".scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + uidDir + ".slice/cri-containerd-" + id + ".scope", Place{PodUID: uid, ContainerID: id, Outer: other}},
		"slice:prefix:name taken literally":          {"/system.slice/containerd.service/kubepods-burstable-pod" + uidDir + ".slice:cri-containerd:" + id, Place{PodUID: uid, ContainerID: id}},
		"the same in the root":                       {"/kubepods-pod" + uidDir + ".slice:cri-containerd:" + id, Place{PodUID: uid, ContainerID: id}},
		"another cgroup namespace, systemd":          {"/../../kubepods-burstable.slice/kubepods-burstable-pod" + uidDir + ".slice/cri-containerd-" + id + ".scope", Place{PodUID: uid, ContainerID: id}},
		"another cgroup namespace, sibling pod":      {"/../../kubepods-besteffort-pod" + uidDir + ".slice/crio-" + id + ".scope", Place{PodUID: uid, ContainerID: id}},
		"another cgroup namespace, cgroupfs":         {"/../../pod" + uid + "/" + id, Place{PodUID: uid, ContainerID: id}},
		"another cgroup namespace, other class":      {"/../../../burstable/pod" + uid + "/" + id, Place{PodUID: uid, ContainerID: id}},
		"another cgroup namespace, host":             {"/../../../../system.slice/kubelet.service", Place{Unit: "kubelet.service"}},
		"another cgroup namespace, no pod":           {"/../podman/" + id, Place{ContainerID: id}},
		"removed below a zombie":                     {"/kubepods/besteffort/pod" + uid + "/" + id + " (deleted)", Place{PodUID: uid, ContainerID: id}},
		"a child named like a victim":                {"/kubepods/besteffort/pod" + uid + "/" + id + "/kubepods/besteffort/pod" + victim + "/" + other, Place{PodUID: uid, ContainerID: id}},
		"a child named like a victim, systemd":       {"/kubepods.slice/kubepods-pod" + uidDir + ".slice/cri-containerd-" + id + ".scope/kubepods.slice/kubepods-pod" + strings.ReplaceAll(victim, "-", "_") + ".slice/cri-containerd-" + other + ".scope", Place{PodUID: uid, ContainerID: id}},
		"a child of a pod without container id":      {"/kubepods/besteffort/pod" + uid + "/made-by-hand/pod" + victim, Place{PodUID: uid}},
		"docker run":                                 {"/docker/" + id, Place{ContainerID: id}},
		"docker run, systemd":                        {"/system.slice/docker-" + id + ".scope", Place{ContainerID: id, Unit: "docker-" + id + ".scope"}},
		"podman":                                     {"/machine.slice/libpod-" + id + ".scope/container", Place{ContainerID: id, Unit: "libpod-" + id + ".scope"}},
		"unit":                                       {"/system.slice/docker.service", Place{Unit: "docker.service"}},
		"unit with a delegated child":                {"/system.slice/containerd.service/init", Place{Unit: "containerd.service"}},
		"template unit":                              {"/system.slice/system-getty.slice/getty@tty1.service", Place{Unit: "getty@tty1.service"}},
		"escaped unit":                               {"/system.slice/_cpu.service", Place{Unit: "cpu.service"}},
		"mount unit":                                 {`/system.slice/var-lib-x\x2dy.mount`, Place{Unit: `var-lib-x\x2dy.mount`}},
		"login session":                              {"/user.slice/user-1000.slice/session-3.scope", Place{Unit: "session-3.scope"}},
		"user manager":                               {"/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", Place{Unit: "user@1000.service"}},
		"cri-o, monitor in the system's slice":       {"/system.slice/crio-conmon-" + id + ".scope", Place{ContainerID: id, Monitor: true, Unit: "crio-conmon-" + id + ".scope"}},
		"podman's monitor":                           {"/machine.slice/libpod-conmon-" + id + ".scope", Place{ContainerID: id, Monitor: true, Unit: "libpod-conmon-" + id + ".scope"}},
		"a cgroup root with a dash, systemd":         {"/node_1.slice/node_1-kubepods.slice/node_1-kubepods-burstable.slice/node_1-kubepods-burstable-pod" + uidDir + ".slice/cri-containerd-" + id + ".scope", Place{PodUID: uid, ContainerID: id}},
		"a cgroup root in capitals":                  {"/Pods.slice/Pods-kubepods.slice/Pods-kubepods-pod" + uidDir + ".slice", Place{PodUID: uid}},
		"Kata, the whole sandbox":                    {"/kubepods/besteffort/pod" + uid + "/kata_" + id, Place{PodUID: uid, ContainerID: id}},
		"Kata, what runs beside the pod":             {"/kata_overhead/" + id, Place{ContainerID: id}},
		"Kata of old":                                {"/kata/kubepods/pod" + uid + "/" + id, Place{PodUID: uid, ContainerID: id}},
		"Docker Desktop":                             {"/kubepods/kubepods/besteffort/pod" + uid + "/" + id, Place{PodUID: uid, ContainerID: id}},
		"Docker Desktop, guaranteed":                 {"/kubepods/kubepods/pod" + uid + "/" + id, Place{PodUID: uid, ContainerID: id}},
		"the same on systemd":                        {"/kubepods.slice/kubepods-kubepods.slice/kubepods-kubepods-burstable.slice/kubepods-kubepods-burstable-pod" + uidDir + ".slice/cri-containerd-" + id + ".scope", Place{PodUID: uid, ContainerID: id}},
		"LinuxKit":                                   {"/podruntime/docker/kubepods/burstable/pod" + uid + "/" + id, Place{PodUID: uid, ContainerID: id}},
		"docker's old lxc driver":                    {"/lxc/" + id, Place{ContainerID: id}},
		"a container's id in a slice, without scope": {"/kubepods.slice/kubepods-pod" + uidDir + ".slice/" + id, Place{PodUID: uid, ContainerID: id}},
		"ECS, whose tasks have 32 digits":            {"/ecs/" + static + "/" + id, Place{ContainerID: id}},
		"nerdctl, rootless":                          {"/user.slice/user-1000.slice/user@1000.service/user.slice/nerdctl-" + id + ".scope", Place{ContainerID: id, Unit: "user@1000.service"}},
		"sysbox delegates":                           {"/kubepods.slice/kubepods-pod" + uidDir + ".slice/crio-" + id + ".scope/syscont-cgroup-root/init.scope", Place{PodUID: uid, ContainerID: id}},
		"systemd in a pod":                           {"/kubepods.slice/kubepods-pod" + uidDir + ".slice/cri-containerd-" + id + ".scope/system.slice/cron.service", Place{PodUID: uid, ContainerID: id}},
		"LXC in a pod":                               {"/kubepods/pod" + uid + "/" + id + "/lxc.payload.web/system.slice/cron.service", Place{PodUID: uid, ContainerID: id}},
		"LXC in docker":                              {"/docker/" + id + "/lxc/web/system.slice/cron.service", Place{ContainerID: id, Unit: "cron.service"}},
		"LXD, systemd in it":                         {"/lxc.payload.n1/system.slice/cron.service", Place{System: "n1"}},
		"LXD of old":                                 {"/lxc.payload/n1/system.slice/lxd.service", Place{System: "n1"}},
		"Proxmox":                                    {"/lxc/703/ns/system.slice/pulse.service", Place{System: "703"}},
		"LXC's own monitor":                          {"/lxc.monitor.n1", Place{}},
		"LXC without a name":                         {"/lxc.payload./x", Place{}},
		"a Kubernetes in LXC":                        {"/lxc.payload.n1/kubepods.slice/kubepods-pod" + uidDir + ".slice/cri-containerd-" + id + ".scope", Place{System: "n1"}},
		"named kubepods in LXC":                      {"/lxc.payload.kubepods/x", Place{System: "kubepods"}},
		"docker in LXC":                              {"/lxc.payload.n1/docker/" + id, Place{System: "n1"}},
		"nspawn":                                     {`/machine.slice/systemd-nspawn@web\x2d1.service/payload/system.slice/cron.service`, Place{System: "web-1", Unit: `systemd-nspawn@web\x2d1.service`}},
		"nspawn, a name for a terminal":              {`/machine.slice/machine-a\x1b\x5b2J.scope/payload/x`, Place{System: `a\x1b[2J`, Unit: `machine-a\x1b\x5b2J.scope`}},
		"a Kubernetes in nspawn":                     {"/machine.slice/machine-web.scope/payload/kubepods/pod" + uid + "/" + id, Place{System: "web", Unit: "machine-web.scope"}},
		"a virtual machine":                          {`/machine.slice/machine-qemu\x2d1\x2dvm.scope/libvirt/emulator`, Place{Unit: `machine-qemu\x2d1\x2dvm.scope`}},
		"a directory named payload":                  {"/payload/system.slice/x.service", Place{Unit: "x.service"}},
		"a unit named lxc":                           {"/system.slice/lxc/x", Place{}},
		"init":                                       {"/init.scope", Place{Unit: "init.scope"}},
		"Talos, no systemd":                          {"/podruntime/kubelet", Place{}},
		"slice only":                                 {"/system.slice", Place{}},
		"root":                                       {"/", Place{}},
		"nothing":                                    {"", Place{}},
		"pod without kubepods":                       {"/pod" + uid + "/" + id, Place{ContainerID: id}},
		"dots inside are no namespace":               {"/system.slice/../kubepods", Place{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := ParseCgroupPath(c.path)
			if got.Path != c.path {
				t.Errorf("path %q", got.Path)
			}
			if got.Path = ""; got != c.want {
				t.Errorf("%s\n got %+v\nwant %+v", c.path, got, c.want)
			}
		})
	}
}

func TestPlaceOf(t *testing.T) {
	pod, unit := "/kubepods/burstable/pod"+uid+"/"+id, "/system.slice/docker.service"
	for name, c := range map[string]struct {
		entries []report.CgroupEntry
		want    Place
	}{
		"hybrid: v2 says nothing":           {[]report.CgroupEntry{{Controllers: "memory,pids", Path: pod}, {Path: "/"}}, Place{Path: pod, PodUID: uid, ContainerID: id}},
		"v1 without accounting: systemd's":  {[]report.CgroupEntry{{Controllers: "memory", Path: "/"}, {Controllers: "name=systemd", Path: unit}}, Place{Path: unit, Unit: "docker.service"}},
		"moved in one hierarchy only":       {[]report.CgroupEntry{{Controllers: "freezer", Path: "/"}, {Controllers: "memory", Path: pod}}, Place{Path: pod, PodUID: uid, ContainerID: id}},
		"hierarchies disagree: memory's":    {[]report.CgroupEntry{{Controllers: "cpu", Path: "/kubepods/pod" + victim + "/" + other}, {Controllers: "memory", Path: pod}}, Place{Path: pod, PodUID: uid, ContainerID: id}},
		"unreadable":                        {nil, Place{}},
		"the root everywhere is still said": {[]report.CgroupEntry{{Controllers: "memory", Path: "/"}, {Path: "/"}}, Place{Path: "/"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (&Node{}).placeOf(report.Cgroup{Entries: c.entries}); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func FuzzParseCgroupPath(f *testing.F) {
	f.Add("/kubepods/besteffort/pod" + uid + "/" + id)
	f.Add("/../../kubepods-besteffort-pod" + uidDir + ".slice/crio-" + id + ".scope")
	f.Add("/x.slice:y:z/kubepods-podx.slice::")
	f.Add("kubepods/pod_")
	f.Add("/lxc.payload.n1/kubepods/pod" + uid + "/" + id)
	f.Add("/lxc/1/ns/x.service")
	f.Add("/machine.slice/machine-a.scope/payload/kubepods-podx.slice:b:" + id)
	f.Add("/kubepods/pod" + uid + "/kata_" + id)
	f.Fuzz(func(t *testing.T, path string) {
		p := ParseCgroupPath(path)
		literal := strings.Contains(path, p.PodUID)
		if !literal && !strings.Contains(strings.ReplaceAll(path, "_", "-"), p.PodUID) {
			t.Fatalf("%q: pod %q is not in it", path, p.PodUID)
		}
		// A container that creates children changes nothing about who it is.
		if p.ContainerID != "" && p.PodUID != "" && !strings.HasSuffix(path, " (deleted)") {
			child := ParseCgroupPath(path + "/kubepods/besteffort/pod" + victim + "/" + other)
			if child.PodUID != p.PodUID || child.ContainerID != p.ContainerID {
				t.Fatalf("%q: a child made it %+v", path, child)
			}
		}
	})
}
