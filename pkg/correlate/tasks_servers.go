package correlate

import (
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// maxWaitedVolumes are named of one pod.
	maxWaitedVolumes = 5
	// maxRetries per second are those of who asks a silent server again: some three for
	// each timeout of two seconds, nfs(5)'s timeo=10 with retrans=1, or as it connects
	// again. Who is answered is switched to each time.
	maxRetries = 3
	// gaveUpLately is how many seconds ago a soft mount may have given up last: as long
	// as somebody asks it does so again, within the timeout of the mount.
	gaveUpLately = 300
)

// remoteMount is a mount of a filesystem that has a server.
type remoteMount struct {
	waitsFor, server, volume string
	pod                      string // whose directory it stands in, by UID
}

// waitedServers are the filesystems with a server that the node has mounted.
type waitedServers struct {
	mounts []remoteMount
	byPod  map[string][]remoteMount
	pods   map[string]*inventory.Pod // that the API server knows
	silent map[string]*report.SilentServer
	uptime float64
	looked float64 // seconds
}

func (n *Node) waitedServers() *waitedServers {
	w := &waitedServers{byPod: map[string][]remoteMount{}, pods: n.podByUID, silent: map[string]*report.SilentServer{},
		uptime: n.Report.Node.Uptime, looked: float64(n.Report.Tasks.LookedMillis) / 1000}
	for i := range n.Report.Tasks.SilentNFS {
		if s := &n.Report.Tasks.SilentNFS[i]; !s.GaveUp || s.Last != nil && w.uptime-*s.Last <= gaveUpLately {
			w.silent[s.Name] = s
		}
	}
	if n.Report.Mounts == nil || len(n.Report.Tasks.Blocked) == 0 {
		return w
	}
	for _, f := range n.Report.Mounts.Filesystems {
		if m := (remoteMount{waitsFor: remoteOf(f.Type), server: ServerOf(f.Type, f.Source)}); m.server != "" && !slices.Contains(w.mounts, m) {
			w.mounts = append(w.mounts, m)
		}
	}
	volumes := n.Mounts().Volumes
	for i := range volumes {
		for _, m := range volumes[i].Mounts {
			of := remoteMount{waitsFor: remoteOf(m.Type), server: ServerOf(m.Type, m.Source), volume: volumes[i].Name}
			if of.waitsFor == "" || m.Pod == nil || m.Copy != nil {
				continue
			}
			if of.pod = m.Pod.PodUID; !slices.Contains(w.byPod[of.pod], of) {
				w.byPod[of.pod] = append(w.byPod[of.pod], of)
			}
		}
	}
	return w
}

// remoteOf is what waiting for a filesystem's server is called; "" where it has none.
func remoteOf(fstype string) string {
	switch fstype {
	case "nfs", "nfs4":
		return WaitsNFS
	case "cifs", "smb3":
		return WaitsSMB
	case "ceph":
		return WaitsCeph
	case "9p":
		return Waits9P
	}
	if fstype == "fuse" || strings.HasPrefix(fstype, "fuse.") {
		return WaitsFUSE
	}
	return ""
}

// ServerOf is the server of a filesystem, by a mount's source; "" where that does not name one.
//
//	nas.example.com:/export, [fd00::7]:/export    nfs(5); the kernel's log has no brackets
//	//nas.example.com/share                       mount.cifs(8)
//	10.0.0.1:6789,10.0.0.2:6789:/                 mount.ceph(8)
func ServerOf(fstype, source string) string {
	switch fstype {
	case "nfs", "nfs4", "ceph":
		server, _, ok := strings.Cut(source, ":/")
		if !ok {
			return ""
		}
		if fstype != "ceph" && strings.HasPrefix(server, "[") {
			return strings.Trim(server, "[]")
		}
		return server
	case "cifs", "smb3":
		server, _, _ := strings.Cut(strings.TrimLeft(source, `/\`), "/")
		return server
	}
	return ""
}

// addTo says which server a row waits for: the only one of the pod's volumes, or where
// it may come to what else the node has mounted, the only one of the node. Of several
// the only one that does not respond by the kernel's log.
func (w *waitedServers) addTo(r *BlockedRow) {
	if r.Kernel || !slices.Contains(Remotes(), r.WaitsFor) {
		return
	}
	others := func(m remoteMount) bool { return m.waitsFor != r.WaitsFor }
	fitting := slices.DeleteFunc(slices.Clone(w.byPod[r.Owner.PodUID]), others)
	if len(fitting) == 0 || w.seesMore(r.Owner.PodUID) {
		fitting = append(fitting, slices.DeleteFunc(slices.Clone(w.mounts), others)...)
	}
	server, ok := w.only(fitting)
	if !ok {
		return
	}
	r.Server = server
	for _, m := range fitting {
		if m.server == r.Server && m.volume != "" && !slices.Contains(r.Volumes, m.volume) && len(r.Volumes) < maxWaitedVolumes {
			r.Volumes = append(r.Volumes, m.volume)
		}
	}
	if s := w.silent[r.Server]; s != nil && r.WaitsFor == WaitsNFS {
		r.SilentSeconds = w.ago(s.Since)
		r.SaidSeconds = w.ago(s.Last)
	}
}

// ago is within the time since boot, whatever a report claims.
func (w *waitedServers) ago(at *float64) *float64 {
	if at == nil {
		return nil
	}
	return new(min(max(0, w.uptime-*at), w.uptime))
}

// seesMore: by a hostPath a pod may come to any mount of the node.
func (w *waitedServers) seesMore(podUID string) bool {
	p := w.pods[podUID]
	return p == nil || slices.ContainsFunc(p.Volumes, func(v inventory.Volume) bool { return v.HostPath != "" })
}

// only is the server of all these mounts, or the silent one among several.
func (w *waitedServers) only(mounts []remoteMount) (server string, ok bool) {
	var all, silent []string
	for _, m := range mounts {
		if slices.Contains(all, m.server) {
			continue
		}
		all = append(all, m.server)
		if w.silent[m.server] != nil && m.waitsFor == WaitsNFS {
			silent = append(silent, m.server)
		}
	}
	switch {
	case len(all) == 1:
		return all[0], true
	case len(silent) == 1:
		return silent[0], true
	}
	return "", false
}

// retries: it ran so rarely that it was not answered, and the kernel's log says that
// its server does not respond.
func (w *waitedServers) retries(r *BlockedRow, switched uint64) bool {
	return r.WaitsFor == WaitsNFS && r.Server != "" && w.silent[r.Server] != nil && switched > 0 && float64(switched) <= max(maxRetries*w.looked, maxRetries)
}
