//go:build linux

package probe

import (
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// TestRuntimeRoots: where each runtime has its state, by default and by arguments of
// its daemon and shims; never where a process in a pod says.
func TestRuntimeRoots(t *testing.T) {
	const runs = `{"init_process_pid":7,"init_process_start":100}`
	const first = `
-- proc/7 (process) --
comm java
start 100
`
	for name, c := range map[string]struct{ tree, at string }{
		"docker 1.13 of RHEL 7": {"", "run/runc"},
		"docker 19.03, its shim's root": {`
-- proc/5 (process) --
comm containerd-shim
start 90
cgroup v1 /system.slice/containerd.service
args containerd-shim -namespace moby -workdir /var/lib/containerd/io.containerd.runtime.v1.linux/moby/{id:a} -address /run/containerd/containerd.sock -containerd-binary /usr/bin/containerd -runtime-root /var/run/docker/runtime-runc
`, "run/docker/runtime-runc/moby"},
		"docker 19.03 of another root": {`
-- proc/5 (process) --
comm containerd-shim
start 90
cgroup v1 /system.slice/containerd.service
args containerd-shim -namespace moby -workdir /data/containerd/io.containerd.runtime.v1.linux/moby/{id:a} -runtime-root /var/run/docker-b/runtime-runc
`, "run/docker-b/runtime-runc/moby"},
		"docker 28": {`
-- proc/5 (process) --
comm containerd-shim
start 90
cgroup /system.slice/containerd.service
args /usr/bin/containerd-shim-runc-v2 -namespace moby -id {id:a} -address /run/containerd/containerd.sock
`, "run/docker/runtime-runc/moby"},
		"docker 28 of another root": {`
-- proc/5 (process) --
comm dockerd
start 90
cgroup /system.slice/docker-b.service
args /usr/bin/dockerd --exec-root=/run/docker-b --data-root /data/b
`, "run/docker-b/runtime-runc/moby"},
		"cri-o 1.24 with runc": {`
-- proc/5 (process) --
comm conmon
start 90
cgroup /system.slice/crio-conmon-{id:a}.scope
args /usr/libexec/crio/conmon -b /run/containers/storage/overlay-containers/{id:a}/userdata -c {id:a} --exit-dir /var/run/crio/exits -r /usr/bin/runc --runtime-arg --root=/run/runc --socket-dir-path /var/run/crio
`, "run/runc"},
		"cri-o 1.31 with crun": {"", "run/crun"},
		"cri-o, another root": {`
-- proc/5 (process) --
comm conmon
start 90
cgroup /system.slice/crio-conmon-{id:a}.scope
args /usr/libexec/crio/conmon -b /run/containers/storage/overlay-containers/{id:a}/userdata -c {id:a} -r /usr/libexec/crio/crun --runtime-arg --root=/run/crio/crun
`, "run/crio/crun"},
	} {
		t.Run(name, func(t *testing.T) {
			got := runtimeOf(t, first+c.tree+"-- root/"+c.at+"/{id:a}/state.json --\n"+runs+"\n")
			if len(got.Tasks) != 1 || got.Tasks[0].PID != 7 || got.Tasks[0].State != report.TaskRunning {
				t.Errorf("got %+v", got.Tasks)
			}
		})
	}
	// What says so runs in a pod.
	got := runtimeOf(t, first+`
-- proc/5 (process) --
comm dockerd
start 90
cgroup /kubepods/besteffort/pod{uid:evil}/{id:evil}
args dockerd --exec-root=/run/evil
-- root/run/evil/runtime-runc/moby/{id:a}/state.json --
`+runs+"\n")
	if len(got.Tasks) != 0 {
		t.Errorf("a pod leads to %+v", got.Tasks)
	}
}
