package hostfs

import (
	"strings"
	"testing"
)

func TestParseOCIConfig(t *testing.T) {
	id := strings.Repeat("a", 64)
	for name, c := range map[string]struct {
		in   string
		want RuntimeContainer
	}{
		"containerd container": {`{"root":{"path":"rootfs"},"annotations":{"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.container-name":"app","io.kubernetes.cri.image-name":"img","io.kubernetes.cri.sandbox-id":"s","io.kubernetes.cri.sandbox-name":"web-1","io.kubernetes.cri.sandbox-namespace":"prod","io.kubernetes.cri.sandbox-uid":"u"}}`,
			RuntimeContainer{ID: id, Runtime: "containerd", Name: "app", Image: "img", SandboxID: "s", PodUID: "u", PodName: "web-1", PodNamespace: "prod", Root: "rootfs"}},
		"containerd 1.2 knows the sandbox only": {`{"annotations":{"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.sandbox-id":"s"}}`,
			RuntimeContainer{ID: id, Runtime: "containerd", SandboxID: "s"}},
		"containerd sandbox": {`{"annotations":{"io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-id":"x","io.kubernetes.cri.sandbox-name":"web-1"}}`,
			RuntimeContainer{ID: id, Runtime: "containerd", Sandbox: true, SandboxID: id, PodName: "web-1"}},
		"cri-o container": {`{"annotations":{"io.kubernetes.cri-o.ContainerType":"container","io.kubernetes.container.name":"app","io.kubernetes.cri-o.Image":"sha","io.kubernetes.cri-o.ImageName":"img","io.kubernetes.cri-o.SandboxID":"s","io.kubernetes.pod.uid":"u","io.kubernetes.pod.name":"web-1","io.kubernetes.pod.namespace":"prod"}}`,
			RuntimeContainer{ID: id, Runtime: "cri-o", Name: "app", Image: "img", SandboxID: "s", PodUID: "u", PodName: "web-1", PodNamespace: "prod"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok, err := ParseOCIConfig(id, []byte(c.in))
			if err != nil || !ok || got != c.want {
				t.Errorf("got %+v %v %v, want %+v", got, ok, err, c.want)
			}
		})
	}
	if _, ok, err := ParseOCIConfig(id, []byte(`{"annotations":null,"process":{}}`)); ok || err != nil {
		t.Errorf("a container that Kubernetes did not make: %v %v", ok, err)
	}
	if _, _, err := ParseOCIConfig(id, []byte(`{"annotations":`)); err == nil {
		t.Error("half a file: want an error")
	}
}

func TestParseDockerConfig(t *testing.T) {
	got, err := ParseDockerConfig([]byte(`{"ID":"82","Name":"/k8s_app_hub_prod_u_0","State":{"Dead":true},"Driver":"overlay2","Config":{"Image":"img","Labels":{"io.kubernetes.container.name":"app","io.kubernetes.docker.type":"container","io.kubernetes.pod.name":"hub","io.kubernetes.pod.namespace":"prod","io.kubernetes.pod.uid":"u","io.kubernetes.sandbox.id":"s"}}}`))
	want := RuntimeContainer{ID: "82", Runtime: "docker", State: "dead", Driver: "overlay2", Name: "app", Image: "img", SandboxID: "s", PodUID: "u", PodName: "hub", PodNamespace: "prod"}
	if err != nil || got != want {
		t.Errorf("got %+v %v, want %+v", got, err, want)
	}
	got, err = ParseDockerConfig([]byte(`{"ID":"83","Name":"/registry","Config":{"Image":"img","Labels":null}}`))
	if err != nil || got.Name != "registry" || got.PodUID != "" {
		t.Errorf("docker run: got %+v %v", got, err)
	}
}

func TestDockerStates(t *testing.T) {
	for in, want := range map[string]string{
		`{"Running":true,"Pid":1}`:                                        "running",
		`{"Running":true,"Paused":true}`:                                  "paused",
		`{"Running":true,"Restarting":true}`:                              "restarting",
		`{"Dead":true,"RemovalInProgress":true,"StartedAt":"2021-01-01"}`: "removing",
		`{"Dead":true,"StartedAt":"2021-01-01T00:00:00Z"}`:                "dead",
		`{"StartedAt":"0001-01-01T00:00:00Z"}`:                            "created",
		`{"StartedAt":"2021-01-01T00:00:00Z","ExitCode":137}`:             "exited",
	} {
		c, err := ParseDockerConfig([]byte(`{"ID":"x","State":` + in + `}`))
		if err != nil || c.State != want {
			t.Errorf("%s: got %q, %v", in, c.State, err)
		}
	}
}

func TestDockerRootfs(t *testing.T) {
	for driver, want := range map[string]string{
		"overlay2": "overlay2/ab-1_init/merged", "overlay": "overlay/ab-1_init/merged", "devicemapper": "devicemapper/mnt/ab-1_init/rootfs",
		"aufs": "aufs/mnt/ab-1_init", "btrfs": "btrfs/subvolumes/ab-1_init", "vfs": "vfs/dir/ab-1_init", "zfs": "zfs/graph/ab-1_init",
		"overlayfs": "rootfs/overlayfs/ab-1_init", "windowsfilter": "", "": "", "../..": "",
	} {
		if got := DockerRootfs(driver, "ab-1_init"); got != want {
			t.Errorf("%s: got %q, want %q", driver, got, want)
		}
	}
	for _, name := range []string{"", "..", "a/b", "A", "a b"} {
		if got := DockerRootfs("overlay2", name); got != "" {
			t.Errorf("%q: got %q", name, got)
		}
	}
	if DockerMountID("overlayfs", "ab") != "" || DockerMountID("../..", "ab") != "" || DockerMountID("aufs", "ab") != "image/aufs/layerdb/mounts/ab/mount-id" {
		t.Error("where the mount's id lies depends on the driver")
	}
}

func TestParseDockerDaemonConfig(t *testing.T) {
	for in, want := range map[string]string{
		`{"data-root":"/data/docker","log-driver":"json-file"}`: "/data/docker",
		`{"graph":"/old"}`: "/old",
		`{}`:               "",
	} {
		if got, err := ParseDockerDaemonConfig([]byte(in)); got != want || err != nil {
			t.Errorf("%s: got %q %v, want %q", in, got, err, want)
		}
	}
	if _, err := ParseDockerDaemonConfig([]byte(`{"data-root":`)); err == nil {
		t.Error("half a file: want an error")
	}
}

func TestParsePodLogDir(t *testing.T) {
	ns, pod, uid, ok := ParsePodLogDir("kube-system_etcd-n1_5f0e4b7c6a1d2e3f4a5b6c7d8e9f0a1b")
	if !ok || ns != "kube-system" || pod != "etcd-n1" || uid != "5f0e4b7c6a1d2e3f4a5b6c7d8e9f0a1b" {
		t.Errorf("got %q %q %q %v", ns, pod, uid, ok)
	}
	for _, no := range []string{"", "93e182b4-1f00-4c6e-9d51-0242ac120002", "a_b", "a__c", "a_b_c_d"} {
		if _, _, _, ok := ParsePodLogDir(no); ok {
			t.Errorf("%q is none", no)
		}
	}
}

func TestParseContainerLog(t *testing.T) {
	id := strings.Repeat("0f", 32)
	ns, pod, name, got, ok := ParseContainerLog("coredns-5d9c_kube-system_core-dns-" + id + ".log")
	if !ok || ns != "kube-system" || pod != "coredns-5d9c" || name != "core-dns" || got != id {
		t.Errorf("got %q %q %q %q %v", ns, pod, name, got, ok)
	}
	for _, no := range []string{"", "a_b_c", "a_b_-" + id + ".log", "a_b_c-" + id[:60], "_b_c-" + id + ".log", "a_b_c_d-" + id + ".log"} {
		if _, _, _, _, ok := ParseContainerLog(no); ok {
			t.Errorf("%q is none", no)
		}
	}
}

func TestParseShim(t *testing.T) {
	id := strings.Repeat("0f", 32)
	for name, c := range map[string]struct {
		args string
		want Shim
	}{
		"containerd":        {"/usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id " + id + " -address /run/containerd/containerd.sock", Shim{ID: id}},
		"k3s":               {"/var/lib/rancher/k3s/data/x/bin/containerd-shim-runc-v2 -namespace k8s.io -id " + id, Shim{ID: id}},
		"docker 19.03":      {"containerd-shim -namespace moby -workdir /var/lib/docker/containerd/daemon/io.containerd.runtime.v1.linux/moby/" + id + " -address /run/docker/containerd/containerd.sock", Shim{ID: id, Bundle: "/var/lib/docker/containerd/daemon/io.containerd.runtime.v1.linux/moby/" + id}},
		"docker 1.12":       {"docker-containerd-shim " + id + " /var/run/docker/libcontainerd/" + id + " docker-runc", Shim{ID: id, Bundle: "/var/run/docker/libcontainerd/" + id}},
		"cri-o":             {"/usr/bin/conmon -b /run/containers/storage/overlay-containers/" + id + "/userdata -c " + id + " --exit-dir /run/crio/exits", Shim{ID: id, Bundle: "/run/containers/storage/overlay-containers/" + id + "/userdata"}},
		"equals sign":       {"containerd-shim-runsc-v1 --id=" + id, Shim{ID: id}},
		"a look-alike":      {"myapp -id " + id, Shim{}},
		"shim without id":   {"containerd-shim-runc-v2 -info", Shim{}},
		"option at the end": {"containerd-shim-runc-v2 -id", Shim{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := ParseShim(strings.Fields(c.args))
			if got != c.want || ok != (c.want.ID != "") {
				t.Errorf("got %+v %v, want %+v", got, ok, c.want)
			}
		})
	}
}

func FuzzRuntimeFiles(f *testing.F) {
	f.Add([]byte(`{"annotations":{"io.kubernetes.cri.container-type":"sandbox"}}`))
	f.Add([]byte(`{"ID":"x","Config":{"Labels":{}}}`))
	f.Add([]byte(`a_b_c`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, ok, err := ParseOCIConfig("id", b)
		if ok && (err != nil || c.ID != "id") {
			t.Fatalf("got %+v %v", c, err)
		}
		if d, err := ParseDockerConfig(b); err == nil && strings.Contains(DockerRootfs(d.Driver, string(b)), "..") {
			t.Errorf("a rootfs out of docker's own directory: %q", b)
		}
		_, _ = ParseDockerDaemonConfig(b)
		ParsePodLogDir(string(b))
		ParseContainerLog(string(b))
	})
}
