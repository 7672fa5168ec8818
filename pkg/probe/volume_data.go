//go:build linux

package probe

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	maxVolumeData     = 20_000   // files
	maxVolumeDataFile = 64 << 10 // bytes; they have some 300
)

var errBelowVolume = errors.New("below another volume's mount, not touched")

// volumeDataDir is the directory in which the kubelet's CSI plugin keeps its
// notes of what it has mounted at point, "" for other mounts (csi_attacher.go,
// csi_mounter.go and csi_block.go of kubernetes' pkg/volume/csi):
//
//	…/plugins/kubernetes.io/csi/DRIVER/HASH/globalmount      since 1.24
//	…/plugins/kubernetes.io/csi/pv/PV/globalmount            before
//	…/globalmount/VOLUME                                     of drivers that mount below it (ceph-csi)
//	…/plugins/kubernetes.io/csi/volumeDevices/PV/dev/UID     a block volume: its notes are in PV/data
//	…/plugins/kubernetes.io/csi/volumeDevices/staging/PV     likewise
//	…/plugins/kubernetes.io/csi/volumeDevices/publish/PV/UID likewise
//	…/pods/UID/volumes/kubernetes.io~csi/NAME/mount
func volumeDataDir(point string) string {
	const csi = "/plugins/kubernetes.io/csi/"
	if dir, ok := strings.CutSuffix(point, "/mount"); ok {
		if _, name, found := strings.Cut(dir, "/volumes/kubernetes.io~csi/"); found && name != "" && !strings.Contains(name, "/") {
			return dir
		}
		return ""
	}
	root, rest, found := strings.Cut(point, csi)
	if !found {
		return ""
	}
	f := strings.Split(rest, "/")
	switch {
	case f[0] == "volumeDevices" && len(f) >= 3:
		pv := f[1]
		if pv == "staging" || pv == "publish" {
			pv = f[2]
		}
		return root + csi + "volumeDevices/" + pv + "/data"
	case len(f) >= 3 && f[2] == "globalmount":
		return root + csi + f[0] + "/" + f[1]
	}
	return ""
}

// volumeData reads these notes. The directory belongs to the kubelet's own
// filesystem; where a mount that is not the node's own lies above it, even one
// that others hide, it is left alone.
func (m *mounts) volumeData(ctx context.Context) {
	dirs := slices.Compact(slices.Sorted(slices.Values(m.places.dataDirs)))
	if len(dirs) == 0 {
		return
	}
	v := volumeFiles{fs: m.fs}
	defer v.close()
	for i, dir := range dirs {
		if ctx.Err() != nil || i == maxVolumeData {
			m.bad.add("vol_data.json", errTooMany)
			return
		}
		if m.places.mayNotTouch(dir) {
			m.bad.add("vol_data.json", errBelowVolume)
			continue
		}
		d, err := v.read(dir)
		switch {
		case err == nil:
			m.out.VolumeData = append(m.out.VolumeData, d)
		case !hostfs.Gone(err):
			m.bad.add("vol_data.json", err)
		}
	}
}

func (p *places) mayNotTouch(dir string) (no bool) {
	hostfs.EachParent(dir, func(parent string) bool {
		no = no || p.untouched[parent]
		return !no
	})
	return no
}

// volumeFiles reads such notes. It keeps the directory of the kubelet's open that
// the last ones were in, and so spares walking to it for each.
type volumeFiles struct {
	fs  hostfs.FS
	at  string
	dir *hostfs.Root
}

func (v *volumeFiles) close() {
	if v.dir != nil {
		v.dir.Close()
		v.dir = nil
	}
}

// in opens the directory that a path is below, "…/csi" or "…/pods".
func (v *volumeFiles) in(dir string) (below string, err error) {
	for _, part := range []string{"/plugins/kubernetes.io/csi/", "/pods/"} {
		i := strings.Index(dir, part)
		if i < 0 {
			continue
		}
		at, below := dir[:i+len(part)], dir[i+len(part):]
		if v.dir != nil && v.at == at {
			return below, nil
		}
		v.close()
		root, err := hostfs.OpenRoot(v.fs, nil) // places knows the mounts
		if err != nil {
			return "", err
		}
		defer root.Close()
		v.dir, err = root.Sub(at)
		v.at = at
		return below, err
	}
	return "", errTorn
}

// read reads what saveVolumeData of csi_util.go has written; the keys are those
// of volDataKey in csi_plugin.go.
func (v *volumeFiles) read(dir string) (d report.VolumeData, err error) {
	below, err := v.in(dir)
	if err != nil {
		return d, err
	}
	b, written, err := v.dir.ReadDated(below+"/vol_data.json", maxVolumeDataFile)
	if err != nil {
		return d, err
	}
	var data struct{ DriverName, VolumeHandle, SpecVolID, AttachmentID, VolumeLifecycleMode string }
	if err := json.Unmarshal(b, &data); err != nil {
		return d, errTorn
	}
	e := report.Escape
	return report.VolumeData{Dir: e(dir), Driver: e(data.DriverName), VolumeHandle: e(data.VolumeHandle), SpecVolID: e(data.SpecVolID),
		AttachmentID: e(data.AttachmentID), Lifecycle: e(data.VolumeLifecycleMode), Written: written.Unix()}, nil
}
