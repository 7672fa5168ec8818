package inventory

import (
	"path"

	corev1 "k8s.io/api/core/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// AddStorage gives a node's inventory the cluster's storage, which many share,
// and finds the PersistentVolumes of its pods' claims.
//
// A claim is not asked for: a PersistentVolume names the one that it is bound to.
func (inv *Inventory) AddStorage(s *Storage) {
	inv.Storage = s
	byClaim := map[string]*PersistentVolume{}
	for i := range s.PersistentVolumes {
		v := &s.PersistentVolumes[i]
		// A released one still names a claim that may be bound to another by now.
		if v.Claim != "" && (byClaim[v.Claim] == nil || v.Phase == string(corev1.VolumeBound)) {
			byClaim[v.Claim] = v
		}
	}
	for _, pods := range [][]Pod{inv.Pods, inv.Departed} {
		for i := range pods {
			for j := range pods[i].Volumes {
				v := &pods[i].Volumes[j]
				if pv := byClaim[pods[i].Namespace+"/"+v.Claim]; v.Claim != "" && pv != nil {
					v.PersistentVolume = pv.Name
				}
			}
		}
	}
}

// addVolumes gives a pod its volumes and where its containers have them.
func addVolumes(pod *Pod, p *corev1.Pod) {
	for i := range p.Spec.Volumes {
		pod.Volumes = append(pod.Volumes, fromVolume(p.Name, &p.Spec.Volumes[i]))
	}
	add := func(list, container string, mounts []corev1.VolumeMount) {
		for _, m := range mounts {
			v := VolumeMount{List: list, Container: container, Volume: report.Escape(m.Name), Path: report.Escape(path.Clean("/" + m.MountPath)), ReadOnly: m.ReadOnly}
			if m.MountPropagation != nil {
				v.Propagation = report.Escape(string(*m.MountPropagation))
			}
			pod.VolumeMounts = append(pod.VolumeMounts, v)
		}
	}
	for _, c := range p.Spec.InitContainers {
		add("initContainers", c.Name, c.VolumeMounts)
	}
	for _, c := range p.Spec.Containers {
		add("containers", c.Name, c.VolumeMounts)
	}
	for _, c := range p.Spec.EphemeralContainers {
		add("ephemeralContainers", c.Name, c.VolumeMounts)
	}
}

func fromVolume(pod string, v *corev1.Volume) Volume {
	out := Volume{Name: report.Escape(v.Name)}
	switch {
	case v.PersistentVolumeClaim != nil:
		out.Claim = report.Escape(v.PersistentVolumeClaim.ClaimName)
	case v.Ephemeral != nil: // its claim is made and named by the controller (KEP-1698)
		out.Claim = report.Escape(pod + "-" + v.Name)
	case v.HostPath != nil:
		out.HostPath = report.Escape(path.Clean("/" + v.HostPath.Path))
	case v.CSI != nil:
		out.Driver = report.Escape(v.CSI.Driver)
	}
	return out
}
