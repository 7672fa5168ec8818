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

// KubeletArgs is what a kubelet's command line tells of it.
type KubeletArgs struct {
	RootDir string
	// File holds its options, one a line ("" for none): MicroK8s.
	File string
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
		k.setRootDir(optionValues(args, "root-dir"))
	case comm == "k3s-server", comm == "k3s-agent", comm == "k3s" && (second == "server" || second == "agent"):
		for _, arg := range optionValues(args, "kubelet-arg") {
			if dir, ok := strings.CutPrefix(strings.TrimLeft(arg, "-"), "root-dir="); ok {
				k.setRootDir([]string{dir})
			}
		}
	case comm == "kubelite":
		k.RootDir = microk8sRootDir
		if files := optionValues(args, "kubelet-args-file"); len(files) > 0 {
			k.File = files[len(files)-1]
		}
	default:
		return KubeletArgs{}, false
	}
	return k, true
}

// WithFile is k with the options of its file.
func (k KubeletArgs) WithFile(content string) KubeletArgs {
	var args []string
	for line := range strings.Lines(content) {
		args = append(args, strings.Fields(line)...)
	}
	dirs := optionValues(args, "root-dir")
	for i := range dirs {
		for _, variable := range [...]string{"${SNAP_COMMON}", "$SNAP_COMMON"} {
			dirs[i] = strings.ReplaceAll(strings.Trim(dirs[i], `"'`), variable, microk8sCommon)
		}
	}
	k.setRootDir(dirs)
	return k
}

// setRootDir: of several, the last counts.
func (k *KubeletArgs) setRootDir(dirs []string) {
	if len(dirs) > 0 && path.IsAbs(dirs[len(dirs)-1]) {
		k.RootDir = path.Clean(dirs[len(dirs)-1])
	}
}

// optionValues are the values of --name VALUE and --name=VALUE, in order.
func optionValues(args []string, name string) (values []string) {
	for i, a := range args {
		key, value, given := strings.Cut(a, "=")
		switch {
		case key != "--"+name:
		case given:
			values = append(values, value)
		case i+1 < len(args):
			values = append(values, args[i+1])
		}
	}
	return values
}
