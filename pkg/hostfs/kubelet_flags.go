package hostfs

import (
	"strings"
)

type flagKind int

const (
	notWanted flagKind = iota
	oneValue
	aSwitch // "--x" is "--x=true", and "--x y" another's y
	aList   // given again, it grows (map and slice flags of spf13/pflag)
)

// kubeletFlag says of an option of the kubelet whether it sets thresholds,
// reservations or limits.
func kubeletFlag(name string) flagKind {
	switch {
	case isWordOf(" eviction-hard eviction-soft eviction-soft-grace-period eviction-minimum-reclaim"+
		" kube-reserved system-reserved enforce-node-allocatable ", name):
		return aList
	case isWordOf(" kernel-memcg-notification fail-swap-on ", name):
		return aSwitch
	case isWordOf(" eviction-max-pod-grace-period eviction-pressure-transition-period kube-reserved-cgroup"+
		" system-reserved-cgroup cgroup-driver cgroup-root max-pods pod-max-pids ", name):
		return oneValue
	}
	return notWanted
}

// Flags are the options of the command line that set thresholds, reservations and
// limits, by name without dashes.
func (k KubeletArgs) Flags() map[string]string {
	flags := map[string]string{}
	for i, a := range k.options {
		key, value, given := strings.Cut(a, "=")
		name, ok := strings.CutPrefix(strings.ReplaceAll(key, "_", "-"), "--")
		name = strings.TrimPrefix(name, "experimental-") // kernel-memcg-notification before 1.20
		kind := kubeletFlag(name)
		if !ok || kind == notWanted {
			continue
		}
		if !given {
			switch {
			case kind == aSwitch:
				value = "true"
			case i+1 < len(k.options):
				value = k.options[i+1]
			}
		}
		if before, again := flags[name]; again && kind == aList {
			value = before + "," + value
		}
		flags[name] = value
	}
	return flags
}

// Config is its --config, ConfigDir its --config-dir (KEP-3983); "" where there is
// none.
func (k KubeletArgs) Config() string { return lastOption(k.options, "--config", "") }

// ConfigDir is the directory of drop-ins. K3s has had one of its own since 1.32.
func (k KubeletArgs) ConfigDir() string {
	if dir := lastOption(k.options, "--config-dir", ""); dir != "" || !k.K3s {
		return dir
	}
	return k.k3sConfigDir()
}
