//go:build linux

package probe

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const configuredKubelet = `
-- proc/uptime --
100.00 1.00
-- proc/1 (process) --
comm systemd
parent 0
cgroup /init.scope
args init
-- proc/1/ns/mnt -> mnt:[1] --
-- proc/1/mountinfo --
1 0 8:1 / / rw - ext4 /dev/sda1 rw
-- proc/40 (process) --
comm kubelet
cgroup /system.slice/kubelet.service
args kubelet --config=/etc/kubelet.yaml --config-dir /etc/kubelet.d --eviction-hard=memory.available<500Mi --token=secret
-- proc/40/ns/mnt -> mnt:[1] --
-- root/etc/kubelet.yaml -> /opt/real.yaml --
-- root/opt/real.yaml --
tlsCertFile: secret
evictionSoft:
  memory.available: 12%
-- root/etc/kubelet.d/20-b.conf --
maxPods: 20
-- root/etc/kubelet.d/10-a.conf --
maxPods: 10
-- root/etc/kubelet.d/30-c.conf --
{maxPods: 30}
-- root/etc/kubelet.d/40.conf (dir) --
-- root/etc/kubelet.d/README --
maxPods: 40
`

func readKubelet(t *testing.T, archive string) *report.Kubelet {
	t.Helper()
	return collectWith(t, plant(t, archive), nil, collectProcesses, findKubelet, collectKubelet).Kubelet
}

func TestHowTheKubeletIsConfigured(t *testing.T) {
	k := readKubelet(t, configuredKubelet)
	if !maps.Equal(k.Flags, map[string]string{"eviction-hard": "memory.available<500Mi"}) {
		t.Errorf("got %v", k.Flags)
	}
	want := []report.KubeletConfigFile{
		{Path: "/etc/kubelet.yaml", Text: `evictionSoft:\x0a  memory.available: 12%\x0a`},
		{Path: "/etc/kubelet.d/10-a.conf", DropIn: true, Text: `maxPods: 10\x0a`},
		{Path: "/etc/kubelet.d/20-b.conf", DropIn: true, Text: `maxPods: 20\x0a`},
	}
	if !slices.Equal(k.Configs, want) {
		t.Errorf("got %v", k.Configs)
	}
	var bad []string
	for _, u := range k.Unreadable {
		bad = append(bad, u.What+": "+u.Cause)
	}
	if got := strings.Join(bad, "\n"); got != "/etc/kubelet.d/30-c.conf: all in one pair of braces, but no JSON\n/etc/kubelet.d/40.conf: not a regular file" {
		t.Errorf("got %s", got)
	}
}

func TestKubeletWhoseFilesAreNotThere(t *testing.T) {
	k := readKubelet(t, configuredKubelet+"-- root/opt/real.yaml (absent) --\n-- root/etc/kubelet.d (absent) --\n")
	if len(k.Unreadable) != 2 || len(k.Configs) != 0 || len(k.Flags) != 1 {
		t.Errorf("got %+v", k)
	}
	k = readKubelet(t, strings.ReplaceAll(configuredKubelet, "--config=/etc/", "--config="))
	if !slices.ContainsFunc(k.Unreadable, func(u report.Unreadable) bool { return strings.Contains(u.Cause, "working directory") }) {
		t.Errorf("got %+v", k.Unreadable)
	}
}

// A file of k3s's own that is not there is the usual case.
func TestKubeletWithinK3s(t *testing.T) {
	const k3s = `
-- proc/40 (process) --
comm k3s-server
cgroup /system.slice/k3s.service
args /usr/local/bin/k3s server
-- proc/40/ns/mnt -> mnt:[1] --
`
	k := readKubelet(t, configuredKubelet+k3s)
	if len(k.Configs) != 1 || k.Configs[0].Path != "k3s" || len(k.Flags)+len(k.Unreadable) != 0 {
		t.Errorf("got %+v", k)
	}
	k = readKubelet(t, configuredKubelet+k3s+`
-- root/etc/rancher/k3s/config.yaml --
token: secret
kubelet-arg:
- eviction-hard=memory.available<1Gi
-- root/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf --
failSwapOn: false
`)
	if len(k.Configs) != 2 || k.Flags["eviction-hard"] != "memory.available<1Gi" {
		t.Errorf("got %+v", k)
	}
}

// Its options stand in a unit, which quotes them, in a file and in files beside it.
func TestK3sWhoseCommandLineIsHidden(t *testing.T) {
	long := strings.Repeat("--node-label=a=b ", 100) // longer than what is reported of a setting
	k := readKubelet(t, configuredKubelet+`
-- proc/40 (process) --
comm k3s-server
cgroup /system.slice/k3s.service
args /usr/local/bin/k3s\x20server
-- proc/40/ns/mnt -> mnt:[1] --
-- root/etc/systemd/system/k3s.service --
[Service]
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/local/bin/k3s \
    server \
	'--token=secret' `+long+`\
	'--kubelet-arg=root-dir=/data/kubelet' \

[Install]
-- root/etc/systemd/system/k3s.service.d/10.conf --
[Service]
ExecStart=
-- root/etc/rancher/k3s/config.yaml.d/20.YML --
kubelet-arg+: "max-pods=20"
-- root/etc/rancher/k3s/config.yaml.d/10.yaml --
kubelet-arg: ["max-pods=10", cgroup-root=/a]
-- root/etc/rancher/k3s/config.yaml.d/30.yaml.old --
kubelet-arg: [max-pods=30]
`)
	if k.RootDir != "/data/kubelet" || !maps.Equal(k.Flags, map[string]string{"max-pods": "20", "cgroup-root": "/a"}) || len(k.Unreadable) != 0 {
		t.Errorf("got %+v", k)
	}
}

func TestK3sFilesThatCannotBeRead(t *testing.T) {
	k := readKubelet(t, configuredKubelet+`
-- proc/40 (process) --
comm k3s-agent
cgroup /system.slice/k3s-agent.service
args k3s agent --config=https://example/config.yaml
-- proc/40/ns/mnt -> mnt:[1] --
-- root/etc/systemd/system/k3s-agent.service --
[Service]
ExecStart=/usr/local/bin/k3s agent --kubelet-arg=root-dir=/not/asked
`)
	if k.RootDir != "/var/lib/kubelet" || len(k.Unreadable) != 1 || k.Unreadable[0].What != "https://example/config.yaml" {
		t.Errorf("got %+v", k)
	}
}
