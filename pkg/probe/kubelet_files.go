//go:build linux

package probe

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// addFiles adds the options that do not stand in the kubelet's command line. None
// of K3s's files need be there.
func (k *kubelet) addFiles(root *hostfs.Root, args *hostfs.KubeletArgs, p *report.Process) {
	if args.Hidden {
		k.addStart(root, args, p)
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

// addStart adds what K3s was started with: it hides its command line, and has
// overwritten its environment with that.
func (k *kubelet) addStart(root *hostfs.Root, args *hostfs.KubeletArgs, p *report.Process) {
	unit := k.report.Processes.Cgroups[p.Cgroup].Unit()
	if unit != "" {
		command, environment := k.startOf(root, unit)
		args.K3sUnit(command)
		args.K3sEnvironment(environment)
		return
	}
	if b, err := k.proc.ReadPID(p.PPID, "cmdline"); err == nil {
		args.K3sParent(hostfs.Args(b))
	}
	if b, err := k.proc.ReadPID(p.PPID, "environ"); err == nil {
		args.K3sEnvironment(hostfs.Args(b))
	}
}

// startOf is the last command of a unit, "" for none, and its environment.
func (k *kubelet) startOf(root *hostfs.Root, unit string) (command string, environment []string) {
	var fromFiles []string
	files := openUnitFiles(root, unitPath(), k.bad, true)
	want := func(section, key string) bool {
		return section == "Service" && (key == "ExecStart" || key == "Environment" || key == "EnvironmentFile")
	}
	for _, f := range files.read(unit, want).Files {
		for _, s := range f.Settings {
			value := report.Unescape(s.Value)
			switch {
			case value == "":
			case s.Key == "ExecStart":
				command = value
			case s.Key == "Environment":
				environment = append(environment, hostfs.UnitEnvironment(value)...)
			default: // a dash says that it need not be there
				if b, _, err := root.ReadLinked(path.Join("/", strings.TrimPrefix(value, "-")), hostfs.MaxKubeletConfig); err == nil {
					fromFiles = append(fromFiles, strings.Split(string(b), "\n")...)
				}
			}
		}
	}
	return command, append(environment, fromFiles...)
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
