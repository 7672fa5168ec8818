package hostfs

import (
	"path"
	"strings"
	"testing"
)

func TestParseKubelet(t *testing.T) {
	for _, c := range []struct{ comm, args, root, file string }{
		{"kubelet", "/usr/bin/kubelet --config=/var/lib/kubelet/config.yaml", "/var/lib/kubelet", ""},
		{"kubelet", "kubelet --root-dir=/data/kubelet/ --v=2", "/data/kubelet", ""},
		{"kubelet", "/var/lib/k0s/bin/kubelet --root-dir /var/lib/k0s/kubelet", "/var/lib/k0s/kubelet", ""},
		{"kubelet", "kubelet --root-dir=/a --root-dir=/b", "/b", ""},
		{"kubelet", "kubelet --root_dir=/data/k", "/data/k", ""},
		{"kubelet", "kubelet --root-dir", "/var/lib/kubelet", ""},
		{"kubelet", "kubelet --root-dir=relative", "/var/lib/kubelet", ""},
		{"kubelet", "kubelet --root-dirs=/x -root-dir=/y", "/var/lib/kubelet", ""},
		{"hyperkube", "/hyperkube kubelet --root-dir=/a", "/a", ""},
		{"hyperkube", "/hyperkube kube-proxy --root-dir=/a", "", ""},
		{"k3s-server", "/usr/local/bin/k3s server", "/var/lib/kubelet", k3sConfig},
		{"k3s-server", "/usr/local/bin/k3s server --kubelet-arg=v=2 --kubelet-arg root-dir=/data/k", "/data/k", k3sConfig},
		{"k3s-agent", "/usr/local/bin/k3s agent --kubelet-arg=--root-dir=/data/k", "/data/k", k3sConfig},
		{"k3s-server", "k3s server -c /data/k3s.yaml", "/var/lib/kubelet", "/data/k3s.yaml"},
		{"k3s-server", "k3s server --config=/data/a.yaml --config", "/var/lib/kubelet", "/data/a.yaml"},
		{"k3s", "k3s kubectl get pods", "", ""},
		{".k3s-wrapped", "/nix/store/x/bin/k3s agent", "/var/lib/kubelet", k3sConfig},
		{"kubelet", "kubelet --config-dir=/var/lib/rancher/rke2/agent/etc/kubelet.conf.d --root-dir=/data/rke2", "/data/rke2", ""},
		{"kubelite", "/snap/microk8s/1/kubelite --kubelet-args-file=/var/snap/microk8s/1/args/kubelet", "/var/snap/microk8s/common/var/lib/kubelet", "/var/snap/microk8s/1/args/kubelet"},
		{"bash", "kubelet --root-dir=/x", "", ""},
		{"kubelet", "", "/var/lib/kubelet", ""},
	} {
		k, ok := ParseKubelet(c.comm, strings.Fields(c.args))
		if k.RootDir != c.root || k.File != c.file || ok != (c.root != "") {
			t.Errorf("%s: got %+v %v", c.args, k, ok)
		}
	}
	k, _ := ParseKubelet("kubelite", nil)
	if got := withFiles(k, "--kubeconfig=x\n--root-dir=${SNAP_COMMON}/other\n").RootDir; got != "/var/snap/microk8s/common/other" {
		t.Errorf("got %s", got)
	}
	if got := withFiles(k, "# nothing\n").RootDir; got != "/var/snap/microk8s/common/var/lib/kubelet" {
		t.Errorf("got %s", got)
	}
}

func withFiles(k KubeletArgs, contents ...string) KubeletArgs {
	k.AddFiles(contents)
	return k
}

func TestParseCPUTicks(t *testing.T) {
	got, err := ParseCPUTicks([]byte("7 (a) b (c) S 1 7 7 0 -1 4194560 10 20 30 40 123 45 6 7 20 0 1 0 5 0 0\n"))
	if err != nil || got != 168 {
		t.Errorf("got %d, %v", got, err)
	}
	for _, torn := range []string{"", "7 (a) S 1", "7 (a) S 1 7 7 0 -1 4194560 10 20 30 40 -3 45 "} {
		if _, err := ParseCPUTicks([]byte(torn)); err == nil {
			t.Errorf("%q: want an error", torn)
		}
	}
}

// FuzzKubelet: whatever stands in a command line or a file of options, the root
// directory is an absolute path.
func FuzzKubelet(f *testing.F) {
	f.Add("k3s-server", "k3s\x00server\x00--kubelet-arg\x00root-dir=/x")
	f.Add("k3s-server", "k3s server '--kubelet-arg=root-dir=/x' -d /y")
	f.Add("k3s", "k3s\x00agent\x00\nkubelet-arg+: [root-dir=/x,\n 'a=b']\n")
	f.Add("k3s-server", "supervise-daemon\x00k3s\x00--\x00server\x00--kubelet-arg\x00root-dir=/x")
	f.Add("k3s-agent", "K3S_CONFIG_FILE=/a 'b c' \"d")
	f.Add("kubelite", "--root-dir=$SNAP_COMMON/x\n")
	f.Add("kubelet", "kubelet\x00--root-dir\x00/../x")
	f.Fuzz(func(t *testing.T, comm, text string) {
		k, ok := ParseKubelet(comm, Args([]byte(text)))
		if dir := k.RootDir; ok && (!path.IsAbs(dir) || path.Clean(dir) != dir) {
			t.Errorf("got %q", dir)
		}
		if dir := withFiles(k, text).RootDir; ok && (!path.IsAbs(dir) || path.Clean(dir) != dir) {
			t.Errorf("got %q", dir)
		}
		if k.K3s {
			k.K3sUnit(text)
			k.K3sParent(Args([]byte(text)))
			k.K3sEnvironment(UnitEnvironment(text))
			if dir := k.RootDir; !path.IsAbs(dir) || path.Clean(dir) != dir || !path.IsAbs(k.ConfigDir()) && lastOption(k.options, "--config-dir", "") == "" {
				t.Errorf("got %q, %q", dir, k.ConfigDir())
			}
		}
		_, _ = ParseCPUTicks([]byte(text))
	})
}
