//go:build linux

package probe

import (
	"path"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// maxProgram bounds what is read of a runc, 9 to 16 MB; maxPackages of dpkg's
	// status. Both are read once, in pieces.
	maxProgram, maxPackages = 32 << 20, 16 << 20
	dpkgStatus              = "/var/lib/dpkg/status"
)

// runcPlaces are where distributions and runtimes have runc: the first is taken by
// whoever looks for it by PATH.
func runcPlaces() []string {
	return []string{
		"/usr/local/sbin/runc", "/usr/local/bin/runc", "/usr/sbin/runc", "/usr/bin/runc",
		"/usr/bin/docker-runc", "/usr/libexec/docker/docker-runc-current", "/usr/libexec/crio/runc", "/usr/lib/cri-o-runc/sbin/runc",
		"/var/lib/rancher/k3s/data/current/bin/runc", "/var/lib/k0s/bin/runc", "/opt/bin/runc",
	}
}

// runtimePrograms tells the versions of runc without running it, by its own bytes or by
// the package manager's notes.
func runtimePrograms(root *hostfs.Root) (found []report.RuntimeProgram) {
	seen := map[string]bool{}
	for _, place := range runcPlaces() {
		file, err := root.Resolve(place)
		if err != nil || seen[file] {
			continue
		}
		seen[file] = true
		version := ""
		if root.Scan(file, maxProgram, func(piece []byte) bool {
			version = hostfs.RuncVersion(piece)
			return version != ""
		}) != nil {
			continue // it is not there, most likely
		}
		source := file
		if version == "" && path.Dir(path.Dir(file)) == "/usr" {
			source = dpkgStatus
			_ = root.Scan(dpkgStatus, maxPackages, func(piece []byte) bool {
				version = hostfs.PackageVersion(piece, "runc")
				return version != ""
			})
		}
		if version != "" {
			found = append(found, report.RuntimeProgram{Name: "runc", Path: report.Escape(file), Version: report.Escape(version), Source: report.Escape(source)})
		}
	}
	return found
}
