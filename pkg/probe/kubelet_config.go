//go:build linux

package probe

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	maxConfigs  = 64
	maxDirNames = 1024
	maxFlag     = 4096 // bytes of a value
)

var errRelative = errors.New("relative to the kubelet's working directory, not read")

// configure tells how the kubelet is set up: by its flags, its configuration file
// and the drop-ins beside it.
func (k *kubelet) configure() {
	for name, value := range k.found.Flags() {
		if k.out.Flags == nil {
			k.out.Flags = map[string]string{}
		}
		k.out.Flags[name] = report.Escape(value[:min(len(value), maxFlag)])
	}
	if k.found.K3s { // its own defaults, a drop-in since 1.32 and flags before
		k.out.Configs = []report.KubeletConfigFile{{Path: "k3s", Text: report.Escape(`{"evictionHard":{"imagefs.available":"5%","nodefs.available":"5%"},"failSwapOn":false}`)}}
	}
	file, dir := k.found.Config(), k.found.ConfigDir()
	if file == "" && dir == "" {
		return
	}
	root, err := hostfs.OpenRoot(k.fs, rootMounts(k.fs, k.bad))
	if err != nil {
		k.bad.add("/", err)
		return
	}
	defer root.Close()
	if file != "" {
		k.readConfig(root, file, false)
	}
	if dir != "" {
		k.readDropIns(root, dir)
	}
}

// readDropIns reads those of --config-dir, in the order of their names.
func (k *kubelet) readDropIns(root *hostfs.Root, dir string) {
	files, err := filesIn(root, dir, func(name string) bool { return strings.HasSuffix(name, ".conf") })
	for _, file := range files {
		k.readConfig(root, file, true)
	}
	if err != nil && (!k.found.K3s || !errors.Is(err, fs.ErrNotExist)) {
		k.bad.add(dir, err)
	}
}

func (k *kubelet) readConfig(root *hostfs.Root, name string, dropIn bool) {
	err := errRelative
	if path.IsAbs(name) {
		var b []byte
		var text string
		if b, _, err = root.ReadLinked(name, hostfs.MaxKubeletConfig); err == nil {
			text, err = hostfs.CutKubeletConfig(b)
		}
		if err == nil {
			k.out.Configs = append(k.out.Configs, report.KubeletConfigFile{Path: report.Escape(name), DropIn: dropIn, Text: report.Escape(text)})
			return
		}
	}
	k.bad.add(name, err)
}
