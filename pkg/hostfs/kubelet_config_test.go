package hostfs

import (
	"maps"
	"strings"
	"testing"
)

func TestKubeletFlags(t *testing.T) {
	for name, c := range map[string]struct {
		comm, args string
		want       map[string]string
	}{
		"none":             {"kubelet", "kubelet --config=/x --v=2 --bootstrap-token=secret", map[string]string{}},
		"both forms":       {"kubelet", "kubelet --eviction-hard=memory.available<500Mi --kube-reserved memory=1Gi", map[string]string{"eviction-hard": "memory.available<500Mi", "kube-reserved": "memory=1Gi"}},
		"maps grow":        {"kubelet", "kubelet --eviction-hard=memory.available<1Gi --eviction_hard=nodefs.available<1%", map[string]string{"eviction-hard": "memory.available<1Gi,nodefs.available<1%"}},
		"the last counts":  {"kubelet", "kubelet --cgroup-driver=cgroupfs --cgroup-driver=systemd", map[string]string{"cgroup-driver": "systemd"}},
		"switches":         {"kubelet", "kubelet --fail-swap-on=false --experimental-kernel-memcg-notification --max-pods 200", map[string]string{"fail-swap-on": "false", "kernel-memcg-notification": "true", "max-pods": "200"}},
		"turned off":       {"kubelet", "kubelet --eviction-hard=", map[string]string{"eviction-hard": ""}},
		"cut off":          {"kubelet", "kubelet --eviction-hard", map[string]string{"eviction-hard": ""}},
		"hyperkube":        {"hyperkube", "hyperkube kubelet --eviction-soft=memory.available<12%", map[string]string{"eviction-soft": "memory.available<12%"}},
		"of k3s":           {"k3s-server", "k3s server --kubelet-arg=eviction-hard=memory.available<5% --kubelet-arg kube-reserved=memory=1Gi --eviction-soft=x", map[string]string{"eviction-hard": "memory.available<5%", "kube-reserved": "memory=1Gi"}},
		"a value, no flag": {"kubelet", "kubelet eviction-hard=x -eviction-hard=y", map[string]string{}},
	} {
		k, ok := ParseKubelet(c.comm, strings.Fields(c.args))
		if got := k.Flags(); !ok || !maps.Equal(got, c.want) {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestKubeletFlagsOfAFile(t *testing.T) {
	k, _ := ParseKubelet("kubelite", nil)
	got := withFiles(k, "--eviction-hard=\"memory.available<100Mi,nodefs.available<1Gi\"\n--config=${SNAP_COMMON}/c.yaml\n")
	if got.Flags()["eviction-hard"] != "memory.available<100Mi,nodefs.available<1Gi" || got.Config() != "/var/snap/microk8s/common/c.yaml" {
		t.Errorf("got %v, %s", got.Flags(), got.Config())
	}
	k, _ = ParseKubelet("k3s-agent", strings.Fields("k3s agent --kubelet-arg=max-pods=7"))
	got = withFiles(k, "token: \"secret\"\nkubelet-arg:\n  - \"eviction-hard=memory.available<5%\"\n\n- --max-pods=9\nnode-label:\n  - \"system-reserved=x\"\n")
	if !maps.Equal(got.Flags(), map[string]string{"eviction-hard": "memory.available<5%", "max-pods": "7"}) || got.ConfigDir() == "" {
		t.Errorf("got %v", got.Flags())
	}
}

func TestKubeletConfigDirs(t *testing.T) {
	k, _ := ParseKubelet("kubelet", strings.Fields("kubelet --config /etc/k.yaml --config-dir=/etc/k.d"))
	if k.Config() != "/etc/k.yaml" || k.ConfigDir() != "/etc/k.d" {
		t.Errorf("got %s, %s", k.Config(), k.ConfigDir())
	}
	if k, _ := ParseKubelet("kubelet", nil); k.Config() != "" || k.ConfigDir() != "" {
		t.Errorf("got %s, %s", k.Config(), k.ConfigDir())
	}
}

func TestCutKubeletConfig(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"empty":                   {"", ""},
		"nothing of it":           {"apiVersion: v1\nstaticPodURLHeader:\n  Authorization: [secret]\n", ""},
		"a block":                 {"authentication:\n  x: secret\nevictionHard:\n  memory.available: 500Mi # secret\n  # secret\n\n  nodefs.available: 10%\nzzz: secret\n", "evictionHard:\n  memory.available: 500Mi\n  nodefs.available: 10%\n"},
		"a list below its key":    {"enforceNodeAllocatable:\n- pods\n- kube-reserved\nclusterDNS:\n- 10.0.0.1\n", "enforceNodeAllocatable:\n- pods\n- kube-reserved\n"},
		"flow style":              {"evictionHard: {memory.available: 1Gi}\r\ntlsCertFile: secret\r\n", "evictionHard: {memory.available: 1Gi}\n"},
		"flow style over lines":   {"evictionSoft: {\n  memory.available: 12%\n}\ntlsCertFile: secret\n", "evictionSoft: {\n  memory.available: 12%\n}\n"},
		"quoted keys":             {"\"evictionHard\":\n  \"memory.available\": \"5%\"\n'maxPods': 7\n", "\"evictionHard\":\n  \"memory.available\": \"5%\"\n'maxPods': 7\n"},
		"all of it indented":      {"  kubeReserved:\n    memory: 1Gi\n  tlsCertFile: secret\n", "  kubeReserved:\n    memory: 1Gi\n"},
		"two documents":           {"\xef\xbb\xbf---\nmaxPods: 7\n---\nmaxPods: 8\n", "maxPods: 7\n"},
		"a key within another":    {"logging:\n  evictionHard:\n    memory.available: 1Gi\n", ""},
		"no value, no next line":  {"evictionHard", "evictionHard\n"},
		"JSON":                    {" {\"evictionHard\": {\"memory.available\": \"5%\"}, \"tlsCertFile\": \"secret\", \"maxPods\": 7}\n", `{"evictionHard":{"memory.available":"5%"},"maxPods":7}`},
		"a secret of many lines":  {"staticPodURL: |\n  evictionHard:\n    x\nmaxPods: 7\n", "maxPods: 7\n"},
		"another case of letters": {"evictionhard: {memory.available: 1Gi}\n", ""},
	} {
		got, err := CutKubeletConfig([]byte(c.in))
		if err != nil || got != c.want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	if got, err := CutKubeletConfig([]byte("{maxPods: 7, tlsCertFile: secret}")); err == nil || got != "" {
		t.Errorf("got %q", got)
	}
}

// FuzzKubeletConfig: what stands below no wanted key never leaves the node.
func FuzzKubeletConfig(f *testing.F) {
	f.Add("evictionHard:\n  memory.available: 1Gi\n- x\n}\n", "kubelet\x00--eviction-hard=x")
	f.Add("{\"maxPods\": 7}", "k3s-server\x00--kubelet-arg")
	f.Add("--- \n  a: b\n 'maxPods': 1", "kubelet-arg:\n- --max-pods\n- 7")
	f.Fuzz(func(t *testing.T, text, args string) {
		got, err := CutKubeletConfig([]byte(text))
		if err != nil && got != "" || len(got) > 6*len(text)+16 {
			t.Errorf("got %q, %v", got, err)
		}
		const secret = "hunter2hunter2"
		for _, in := range []string{text + "\ntlsCertFile: " + secret + "\n", text + "\n# " + secret + "\n"} {
			if got, _ := CutKubeletConfig([]byte(in)); strings.Contains(got, secret) && !strings.Contains(text, "hunter2") && topLevel(text) {
				t.Errorf("%q gave %q", in, got)
			}
		}
		for _, comm := range []string{"kubelet", "k3s-server", "kubelite"} {
			k, _ := ParseKubelet(comm, Args([]byte(args)))
			for name := range withFiles(k, args).Flags() {
				if kubeletFlag(name) == notWanted {
					t.Errorf("%q left the node", name)
				}
			}
		}
	})
}

// topLevel: the text's own keys begin in the first column, so that the key behind
// it is none within another.
func topLevel(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimLeft(line, "\ufeff"); strings.TrimSpace(line) != "" {
			return line[0] != ' ' && line[0] != '{'
		}
	}
	return true
}
