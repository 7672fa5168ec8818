package correlate

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func TestHostProcessInAPodsDirectoryIsNotThePods(t *testing.T) {
	const unit = ":/system.slice/updatedb.service"
	for name, c := range map[string]struct{ line, cwd, exe, want string }{
		"its volume":           {unit, "/var/lib/kubelet/pods/" + memPodUID + "/volumes/kubernetes.io~csi/pv/mount/a", "", "its working directory is in a directory of pod prod/hub-0 (/var/lib"},
		"under another name":   {unit, "/data/kubelet-root/pods/" + memPodUID, "", "of pod prod/hub-0"},
		"a pod that is gone":   {unit, "/var/lib/kubelet/pods/" + memGoneUID + "/volumes", "", "of pod " + memGoneUID},
		"containerd's rootfs":  {unit, "/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + memContainer + "/rootfs/var", "", "its working directory is in the root directory of pod prod/hub-0"},
		"docker's layer":       {unit, "/var/lib/docker/overlay2/9caa/merged/opt", "", "the root directory of pod prod/hub-0"},
		"docker's other name":  {unit, "/var/lib/container/docker/overlay2/9caa/merged", "", "the root directory of pod prod/hub-0"},
		"its program":          {unit, "/", "/var/lib/kubelet/pods/" + memPodUID + "/volumes/x/tool (deleted)", "its executable is in a directory of pod prod/hub-0"},
		"its own directory":    {":/kubepods/pod" + memPodUID, "/var/lib/kubelet/pods/" + memPodUID + "/volumes", "", ""},
		"no pod's":             {unit, "/var/lib/kubelet/pods", "/usr/bin/updatedb", ""},
		"a layer of nobody's":  {unit, "/var/lib/docker/overlay2/1234/merged", "", ""},
		"a name that is alike": {unit, "/srv/pods/93e182b4/volumes", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := memNode(2, memCgroup("/", 1, 1, 0, 0))
			r.Containers = &report.Containers{List: []report.Container{{ID: memContainer, PodUID: memPodUID, PodName: "hub-0", PodNamespace: "prod", Rootfs: "/var/lib/docker/overlay2/9caa/merged"}}}
			p := lives(r, 30, 1, "updatedb", 100, c.line)
			p.Memory.Cwd, p.Memory.Exe = c.cwd, c.exe
			got := Join(r, memInventory()).Memory(MemoryOptions{}).Processes[0].Misleading
			if !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
				t.Errorf("got %q", got)
			}
			if got != "" && !strings.Contains(got, "updatedb.service") {
				t.Errorf("no cgroup in %q", got)
			}
		})
	}
}
