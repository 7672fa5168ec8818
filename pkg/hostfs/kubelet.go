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

const nixK3s = ".k3s-wrapped" // on NixOS

// MayBeKubelet is a cheap first look at the name of a process of the host.
func MayBeKubelet(comm string) bool {
	switch comm {
	case "kubelet", "hyperkube", "k3s", nixK3s, "k3s-server", "k3s-agent", "kubelite":
		return true
	}
	return false
}

// KubeletArgs is what a kubelet's command line tells of it.
type KubeletArgs struct {
	RootDir string
	// File holds more of its options ("" for none): one a line for MicroK8s, YAML of
	// its own for K3s, which need not be there.
	File string
	K3s  bool
	// Hidden: K3s since 1.19 leaves of its command line only "k3s server", as there
	// may be passwords in the rest. Its unit has it.
	Hidden bool

	options []string // the kubelet's own, as its command line would have them
	dataDir string   // of K3s
}

// ParseKubelet reads the arguments of a process of the host; ok is false where
// no kubelet runs in it. The root directory is no setting of its configuration
// file.
//
//	kubelet --config=/var/lib/kubelet/config.yaml --root-dir=/data/kubelet     also rke2, k0s
//	hyperkube kubelet --root-dir /data/kubelet
//	k3s server --kubelet-arg=root-dir=/data/kubelet                            comm k3s-server, before 1.19
//	k3s server                                                                 since: it hides the rest
//	kubelite --kubelet-args-file=/var/snap/microk8s/1/args/kubelet
func ParseKubelet(comm string, args []string) (k KubeletArgs, ok bool) {
	k.RootDir = kubeletRootDir
	_, second, _ := strings.Cut(strings.Join(args[:min(2, len(args))], " "), " ")
	switch {
	case comm == "kubelet", comm == "hyperkube" && second == "kubelet":
		k.options = args
	case comm == "k3s-server", comm == "k3s-agent", (comm == "k3s" || comm == nixK3s) && (second == "server" || second == "agent"):
		k.parseK3s(args)
	case comm == "kubelite":
		k.RootDir = microk8sRootDir
		k.File = lastOption(args, "--kubelet-args-file", "")
	default:
		return KubeletArgs{}, false
	}
	k.setRootDir()
	return k, true
}

// AddFiles adds the options of its file, and of those beside it.
func (k *KubeletArgs) AddFiles(contents []string) {
	if k.K3s {
		k.k3sFiles(contents)
		return
	}
	for _, content := range contents {
		for _, variable := range [...]string{"${SNAP_COMMON}", "$SNAP_COMMON"} {
			content = strings.ReplaceAll(content, variable, microk8sCommon)
		}
		k.options = append(k.options, strings.Fields(unquoted(content))...)
	}
	k.setRootDir()
}

// setRootDir: of several, the last counts.
func (k *KubeletArgs) setRootDir() {
	if dir := lastOption(k.options, "--root-dir", ""); path.IsAbs(dir) {
		k.RootDir = path.Clean(dir)
	}
}

// lastOption is the last value of an option, "" for none.
func lastOption(args []string, long, short string) string {
	values := optionValues(args, long, short)
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// optionValues are the values of "--name VALUE" and "--name=VALUE", and of the short
// name that it may have, in order. Options may be written with '_' as well.
func optionValues(args []string, long, short string) (values []string) {
	for i, a := range args {
		key, value, given := strings.Cut(a, "=")
		switch {
		case strings.ReplaceAll(key, "_", "-") != long && (key != short || short == ""):
		case given:
			values = append(values, value)
		case i+1 < len(args):
			values = append(values, args[i+1])
		}
	}
	return values
}
