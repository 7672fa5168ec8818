package hostfs

import (
	"path"
	"strings"
)

// Defaults of --root-dir: the kubelet's own, and that of the snap that MicroK8s
// runs it in.
const (
	kubeletRootDir  = "/var/lib/kubelet"
	microk8sCommon  = "/var/snap/microk8s/common"
	microk8sRootDir = microk8sCommon + "/var/lib/kubelet"
)

// MayBeKubelet is a cheap first look at the name of a process of the host.
func MayBeKubelet(comm string) bool {
	switch comm {
	case "kubelet", "hyperkube", "k3s", "k3s-server", "k3s-agent", "kubelite":
		return true
	}
	return false
}

// k3sConfig holds options of k3s, those of its kubelet among them.
const k3sConfig = "/etc/rancher/k3s/config.yaml"

// KubeletArgs is what a kubelet's command line tells of it.
type KubeletArgs struct {
	RootDir string
	// File holds more of its options ("" for none): one a line for MicroK8s, YAML of
	// its own for K3s, which need not be there.
	File string
	K3s  bool

	options []string // the kubelet's own, as its command line would have them
}

// ParseKubelet reads the arguments of a process of the host; ok is false where
// no kubelet runs in it. The root directory is no setting of its configuration
// file.
//
//	kubelet --config=/var/lib/kubelet/config.yaml --root-dir=/data/kubelet     also rke2, k0s
//	hyperkube kubelet --root-dir /data/kubelet
//	k3s server --kubelet-arg=root-dir=/data/kubelet                            comm k3s-server
//	kubelite --kubelet-args-file=/var/snap/microk8s/1/args/kubelet
func ParseKubelet(comm string, args []string) (k KubeletArgs, ok bool) {
	k.RootDir = kubeletRootDir
	second := ""
	if len(args) > 1 {
		second = args[1]
	}
	switch {
	case comm == "kubelet", comm == "hyperkube" && second == "kubelet":
		k.options = args
	case comm == "k3s-server", comm == "k3s-agent", comm == "k3s" && (second == "server" || second == "agent"):
		k.K3s, k.File = true, k3sConfig
		for _, arg := range optionValues(args, "kubelet-arg") {
			k.options = append(k.options, "--"+strings.TrimLeft(arg, "-"))
		}
	case comm == "kubelite":
		k.RootDir = microk8sRootDir
		if files := optionValues(args, "kubelet-args-file"); len(files) > 0 {
			k.File = files[len(files)-1]
		}
	default:
		return KubeletArgs{}, false
	}
	k.setRootDir()
	return k, true
}

// WithFile is k with the options of its file.
func (k KubeletArgs) WithFile(content string) KubeletArgs {
	if k.K3s { // what the command line says comes later, and counts
		k.options = append(k3sOptions(content), k.options...)
		k.setRootDir()
		return k
	}
	for _, variable := range [...]string{"${SNAP_COMMON}", "$SNAP_COMMON"} {
		content = strings.ReplaceAll(content, variable, microk8sCommon)
	}
	content = strings.ReplaceAll(strings.ReplaceAll(content, `"`, ""), "'", "")
	k.options = append(k.options, strings.Fields(content)...)
	k.setRootDir()
	return k
}

// k3sOptions are those of kubelet-arg:
//
//	kubelet-arg:
//	  - "eviction-hard=memory.available<5%"
func k3sOptions(content string) (options []string) {
	inside := false
	for _, line := range strings.Split(content, "\n") {
		item, ok := strings.CutPrefix(strings.TrimSpace(line), "- ")
		switch {
		case ok && inside:
			options = append(options, "--"+strings.TrimLeft(strings.Trim(item, ` "'`), "-"))
		case !ok && strings.TrimSpace(line) != "":
			inside = strings.HasPrefix(line, "kubelet-arg:") || strings.HasPrefix(line, "kubelet-arg+:")
		}
	}
	return options
}

// setRootDir: of several, the last counts.
func (k *KubeletArgs) setRootDir() {
	if dir := k.option("root-dir"); path.IsAbs(dir) {
		k.RootDir = path.Clean(dir)
	}
}

// option is the last value of an option, "" for none.
func (k KubeletArgs) option(name string) string {
	values := optionValues(k.options, name)
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// optionValues are the values of --name VALUE and --name=VALUE, in order. Options
// may be written with '_' as well.
func optionValues(args []string, name string) (values []string) {
	for i, a := range args {
		key, value, given := strings.Cut(a, "=")
		switch {
		case strings.ReplaceAll(key, "_", "-") != "--"+name:
		case given:
			values = append(values, value)
		case i+1 < len(args):
			values = append(values, args[i+1])
		}
	}
	return values
}
