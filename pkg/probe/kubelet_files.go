//go:build linux

package probe

import (
	"errors"
	"io/fs"
	"path"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// addFiles adds the options that do not stand in the kubelet's command line. None
// of K3s's files need be there.
func (k *kubelet) addFiles(root *hostfs.Root, args *hostfs.KubeletArgs, p *report.Process) {
	if unit := k.report.Processes.Cgroups[p.Cgroup].Unit(); args.Hidden && unit != "" {
		args.K3sUnit(k.startOf(root, unit))
	}
	files := []string{args.File}
	if args.K3s {
		more, err := filesIn(root, args.File+".d", hostfs.IsK3sConfig)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			k.bad.add(args.File+".d", err)
		}
		files = append(files, more...)
	}
	var contents []string
	for _, file := range files {
		content, err := []byte(nil), errRelative // K3s takes an address, too
		if path.IsAbs(file) {
			content, _, err = root.ReadLinked(file, hostfs.MaxKubeletConfig)
		}
		if err == nil {
			contents = append(contents, string(content))
		} else if !args.K3s || !errors.Is(err, fs.ErrNotExist) {
			k.bad.add(file, err)
		}
	}
	args.AddFiles(contents)
}

// startOf is the last command of a unit, "" for none.
func (k *kubelet) startOf(root *hostfs.Root, unit string) (command string) {
	files := openUnitFiles(root, unitPath(), k.bad, true)
	for _, f := range files.read(unit, func(section, key string) bool { return section == "Service" && key == "ExecStart" }).Files {
		for _, s := range f.Settings {
			if s.Value != "" {
				command = report.Unescape(s.Value)
			}
		}
	}
	return command
}

// filesIn are the files of a directory that wanted names, in order.
func filesIn(root *hostfs.Root, dir string, wanted func(name string) bool) (files []string, err error) {
	at, err := root.Resolve(dir)
	if err != nil {
		return nil, err
	}
	names, err := root.ReadDirNames(at, maxDirNames)
	slices.Sort(names)
	for _, name := range names {
		if len(files) < maxConfigs && wanted(name) {
			files = append(files, path.Join(dir, name))
		}
	}
	return files, err
}
