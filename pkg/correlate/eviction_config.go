package correlate

import (
	"fmt"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/yaml"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Where the kubelet's configuration is known from.
const (
	FromConfigz  = "configz"
	FromFiles    = "node's files"
	FromDefaults = "defaults" // neither the kubelet nor the node says
)

const (
	memoryAvailable      = "memory.available"
	allocatableAvailable = "allocatableMemory.available"
	defaultEvictionHard  = "100Mi" // of memory.available, since 1.8
	maxConfigText        = 256 << 10
)

// kubeletConfig is what decides about eviction: configz, which is in force, else
// what the node's files and the kubelet's flags come to. failed are files that
// could not be understood.
func (n *Node) kubeletConfig() (c inventory.KubeletConfig, source string, failed []report.Unreadable) {
	if inv := n.Inventory; inv != nil && inv.Memory != nil && inv.Memory.Config != nil {
		return *inv.Memory.Config, FromConfigz, nil
	}
	k := n.Report.Kubelet
	if k == nil {
		return fileConfig{}.withDefaults().KubeletConfig, FromDefaults, nil
	}
	merged, failed := mergedConfig(k.Configs)
	c = merged.KubeletConfig
	setByFlags(&c, k.Flags)
	return c, FromFiles, failed
}

// fileConfig is a KubeletConfiguration in a file.
type fileConfig struct {
	inventory.KubeletConfig
	MergeDefaults bool `json:"mergeDefaultEvictionSettings,omitempty"` // since 1.34
}

// withDefaults: an evictionHard of its own replaces all defaults, but for one with
// mergeDefaultEvictionSettings. The kubelet does so with the main file, before it
// reads the drop-ins (cmd/kubelet/app/server.go, loadConfigFile), and not again.
func (c fileConfig) withDefaults() fileConfig {
	if c.EvictionHard == nil || c.MergeDefaults && c.EvictionHard[memoryAvailable] == "" {
		hard := map[string]string{memoryAvailable: defaultEvictionHard}
		for signal, value := range c.EvictionHard {
			hard[signal] = value
		}
		c.EvictionHard = hard
	}
	if c.EnforceNodeAllocatable == nil {
		c.EnforceNodeAllocatable = []string{"pods"}
	}
	return c
}

// mergedConfig patches the drop-ins into the main file, in their order (RFC 7386,
// as mergeKubeletConfigurations does).
func mergedConfig(files []report.KubeletConfigFile) (fileConfig, []report.Unreadable) {
	var failed []report.Unreadable
	base := fileConfig{}
	if len(files) > 0 && !files[0].DropIn {
		c, err := patched(base, files[0])
		if err != nil {
			failed = append(failed, report.Unreadable{What: files[0].Path, Cause: err.Error()})
		}
		base, files = c, files[1:]
	}
	base = base.withDefaults()
	for _, f := range files {
		c, err := patched(base, f)
		if err != nil {
			failed = append(failed, report.Unreadable{What: f.Path, Cause: err.Error()})
			continue
		}
		base = c
	}
	return base, failed
}

// patched is c with a file's fields.
func patched(c fileConfig, f report.KubeletConfigFile) (fileConfig, error) {
	if len(f.Text) > maxConfigText {
		return c, fmt.Errorf("larger than %d KiB", maxConfigText>>10)
	}
	patch, err := yaml.YAMLToJSON([]byte(report.Unescape(f.Text)))
	if err != nil {
		return c, fmt.Errorf("no YAML: %s", report.Escape(err.Error()))
	}
	if strings.TrimSpace(string(patch)) == "null" { // nothing of it in there
		return c, nil
	}
	base, err := yaml.Marshal(c)
	if err == nil {
		base, err = yaml.YAMLToJSON(base)
	}
	if err != nil {
		return c, err
	}
	merged, err := jsonpatch.MergePatch(base, patch)
	if err != nil {
		return c, fmt.Errorf("no mapping of keys: %s", report.Escape(err.Error()))
	}
	var out fileConfig
	if err := report.UnmarshalUntrusted(merged, &out); err != nil {
		return c, fmt.Errorf("not as a KubeletConfiguration is: %s", report.Escape(err.Error()))
	}
	return out, nil
}

// setByFlags: a flag counts more than the files, and a map given by flags replaces
// theirs as a whole.
func setByFlags(c *inventory.KubeletConfig, flags map[string]string) {
	for flag, field := range map[string]*map[string]string{"eviction-hard": &c.EvictionHard, "eviction-soft": &c.EvictionSoft} {
		if value, given := flags[flag]; given {
			*field = pairs(value, "<")
		}
	}
	for flag, field := range map[string]*map[string]string{
		"eviction-soft-grace-period": &c.EvictionSoftGracePeriod, "eviction-minimum-reclaim": &c.EvictionMinimumReclaim,
		"kube-reserved": &c.KubeReserved, "system-reserved": &c.SystemReserved,
	} {
		if value, given := flags[flag]; given {
			*field = pairs(value, "=")
		}
	}
	for flag, field := range map[string]*string{
		"kube-reserved-cgroup": &c.KubeReservedCgroup, "system-reserved-cgroup": &c.SystemReservedCgroup, "cgroup-driver": &c.CgroupDriver,
		"cgroup-root": &c.CgroupRoot, "eviction-pressure-transition-period": &c.PressureTransitionPeriod,
	} {
		if value, given := flags[flag]; given {
			*field = value
		}
	}
	if value, given := flags["enforce-node-allocatable"]; given {
		c.EnforceNodeAllocatable = strings.Split(value, ",")
	}
	if value, given := flags["kernel-memcg-notification"]; given {
		c.KernelMemcgNotification = value == "true"
	}
}

// pairs reads "a<1,b<2", "a=1,b=2".
func pairs(value, sep string) map[string]string {
	m := map[string]string{}
	for p := range strings.SplitSeq(value, ",") {
		if key, v, ok := strings.Cut(p, sep); ok {
			m[strings.TrimSpace(key)] = strings.TrimSpace(v)
		}
	}
	return m
}

// kubeletGaps are what the API server and the kubelet would not say.
func kubeletGaps(m *inventory.Memory) (gaps []report.Unreadable) {
	if m == nil {
		return nil
	}
	for _, part := range []report.Unreadable{
		{What: "the node's status", Cause: m.NodeError},
		{What: "the kubelet's configz", Cause: m.ConfigError},
		{What: "the kubelet's stats/summary", Cause: m.SummaryError},
		{What: "events", Cause: m.EventsError},
	} {
		if part.Cause != "" {
			gaps = append(gaps, part)
		}
	}
	return gaps
}
