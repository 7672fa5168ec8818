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

// What it hides stands in the command line of what started it: OpenRC, or the init
// of a container. Its own environment is overwritten.
func TestK3sWithoutAUnit(t *testing.T) {
	const hidden = `
-- proc/40 (process) --
comm k3s-server
parent 39
cgroup /openrc.k3s
args /usr/local/bin/k3s\x20server\x20\x20\x20
-- proc/40/ns/mnt -> mnt:[1] --
-- root/data/k3s.yaml --
kubelet-arg: max-pods=7
-- root/data/x.yaml --
kubelet-arg: max-pods=8
-- root/etc/rancher/k3s/config.yaml --
kubelet-arg: max-pods=9
-- proc/39 (process) --
comm supervise-daemo
`
	for parent, want := range map[string]string{
		`args supervise-daemon k3s --start --chdir /x --pidfile /run/k3s.pid /usr/local/bin/k3s -- server --kubelet-arg=root-dir=/my\x20data/k`: "/my data/k 9",
		`args supervise-daemon k3s --start /usr/local/bin/k3s -- server --kubelet-arg root-dir=/k -c /data/x.yaml`:                              "/k 8",
		`args /sbin/docker-init -- /bin/k3d-entrypoint.sh server --kubelet-arg=root-dir=/k`:                                                     "/k 9",
		`args sh -c -- k3s --kubelet-arg=root-dir=/k`:                                                                                           "/var/lib/kubelet 9",
		`args login --`:   "/var/lib/kubelet 9",
		`args /sbin/init`: "/var/lib/kubelet 9",
		"args supervise-daemon k3s --start k3s -- server -c /data/x.yaml\n-- proc/39/environ (escaped) --\nA=it's\\x00K3S_TOKEN=secret\\x00K3S_CONFIG_FILE=/data/k3s.yaml\\x00": "/var/lib/kubelet 7",
	} {
		k := readKubelet(t, configuredKubelet+hidden+parent+"\n")
		if got := k.RootDir + " " + k.Flags["max-pods"]; got != want || len(k.Unreadable) != 0 {
			t.Errorf("%s: got %s, %v", parent, got, k.Unreadable)
		}
	}
}

// A variable in the unit, or in a file that the unit names, counts more than an option.
func TestK3sConfigFileByItsUnitsEnvironment(t *testing.T) {
	const k3s = `
-- proc/40 (process) --
comm k3s-agent
cgroup /system.slice/k3s-agent.service
args k3s\x20agent
-- proc/40/ns/mnt -> mnt:[1] --
-- root/data/a b.yaml --
kubelet-arg: [root-dir=/b, max-pods=7]
-- root/data/c.yaml --
kubelet-arg: [root-dir=/c]
-- root/etc/systemd/system/k3s-agent.service --
[Service]
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/systemd/system/k3s-agent.service.env
ExecStart=/usr/local/bin/k3s agent --config=/data/c.yaml
`
	for add, want := range map[string]string{
		"": "/c",
		"Environment=A=b \"K3S_CONFIG_FILE=/data/a b.yaml\"\n":                                                                                                   "/b",
		"-- root/etc/systemd/system/k3s-agent.service.env --\nK3S_TOKEN='it'\"'\"'s'\n K3S_CONFIG_FILE='/data/a b.yaml'\n":                                       "/b",
		"Environment=K3S_CONFIG_FILE=/data/none\n-- root/etc/systemd/system/k3s-agent.service.env --\n#K3S_CONFIG_FILE=/x\nK3S_CONFIG_FILE=\"/data/a b.yaml\"\n": "/b",
		"-- root/etc/systemd/system/k3s-agent.service.env --\nK3S_CONFIG_FILE=\nXK3S_CONFIG_FILE=/data/a\n":                                                      "/c",
	} {
		k := readKubelet(t, configuredKubelet+k3s+add)
		if k.RootDir != want || len(k.Unreadable) != 0 {
			t.Errorf("%s: got %s, %v", add, k.RootDir, k.Unreadable)
		}
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
