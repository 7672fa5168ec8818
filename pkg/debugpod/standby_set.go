package debugpod

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	packedVolume, packedDir = "packed", "/nodedoc-packed"
	keptVolume              = "kept"
	// packedPart bounds the part of a packed probe in one ConfigMap, in bytes: the
	// API server takes 1 MiB of it all, and etcd 1.5 MiB of a request.
	packedPart = 900 << 10
)

// standbyScript unpacks the probe into memory and becomes it: a DaemonSet's pod must
// come back by itself, after a reboot, with nobody there to deliver. $1 is the nonce,
// $2 the SHA-256 of the probe. Parts are fewer than ten, so that * has them in order.
const standbyScript = `fail() { echo "nodedoc: $1" >&2; exit 1; }
for tool in cat gzip sha256sum chmod rm; do
  command -v "$tool" >/dev/null || fail "there is no $tool here: choose another image with --image"
done
umask 077
probe=` + probeDir + `/probe
rm -f "$probe"
cat ` + packedDir + `/* | gzip -dc >"$probe" || fail "failed to unpack the probe"
sum=$(sha256sum "$probe") || fail "failed to read the probe back"
[ "${sum%% *}" = "$2" ] || fail "the probe is cut short or damaged"
chmod 0700 "$probe" || fail "failed to make the probe executable"
exec "$probe" standby "$1" ` + report.KeptDir

// standbySpec is all that the DaemonSet of one architecture depends on.
type standbySpec struct {
	podSpec
	selector labels.Selector // of its nodes; nil: all
	// packed is the probe as gzip has it, sum its SHA-256; nothing where the image
	// holds it.
	packed []byte
	sum    string
}

func standbyName(arch string) string { return appName + "-standby-" + arch }

// standbySet builds the DaemonSet: the debug pod, but that it stays, takes the probe
// from ConfigMaps, and has one directory of the node's /var/log to write to.
func standbySet(s standbySpec) *appsv1.DaemonSet {
	p := pod(s.podSpec)
	spec := p.Spec
	spec.NodeName, spec.ActiveDeadlineSeconds, spec.RestartPolicy = "", nil, corev1.RestartPolicyAlways
	spec.Affinity = standbyAffinity(s.arch, s.selector)
	c := &spec.Containers[0]
	c.StdinOnce = false
	c.Command = standbyCommand(s)
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: keptVolume, MountPath: report.KeptDir})
	spec.Volumes = append(spec.Volumes, corev1.Volume{Name: keptVolume, VolumeSource: corev1.VolumeSource{
		HostPath: &corev1.HostPathVolumeSource{Path: report.KeptDir, Type: new(corev1.HostPathDirectoryOrCreate)},
	}})
	if s.image.by != byItself {
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: packedVolume, MountPath: packedDir, ReadOnly: true})
		spec.Volumes = append(spec.Volumes, corev1.Volume{Name: packedVolume, VolumeSource: packedSource(s)})
	}
	p.Labels[labelStandby] = s.arch
	about := "sleeps until kubectl nodedoc asks it, where no new pod starts; `kubectl nodedoc standby uninstall` removes it"
	p.Annotations[annotationAbout] = about
	return &appsv1.DaemonSet{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "DaemonSet"},
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: standbyName(s.arch), Labels: standbyLabels(s.arch),
			Annotations: map[string]string{annotationVersion: s.version, annotationAbout: about}},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: standbyLabels(s.arch)},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: p.Labels, Annotations: p.Annotations},
				Spec:       spec,
			},
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{
				Type:          appsv1.RollingUpdateDaemonSetStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: new(intstr.FromString("100%"))}, // nobody is served by them
			},
			RevisionHistoryLimit: new(int32(0)),
		},
	}
}

func standbyLabels(arch string) map[string]string {
	return map[string]string{labelName: appName, labelManagedBy: managedBy, labelStandby: arch}
}

func standbyCommand(s standbySpec) []string {
	sh := []string{"sh", "-c", standbyScript, appName, s.nonce, s.sum}
	switch s.image.by {
	case byHostShell:
		return underHostShell(sh)
	case byItself:
		return []string{probeInImage, "standby", s.nonce, report.KeptDir}
	}
	return sh
}

// standbyAffinity chooses nodes that are machines of this architecture, and within
// them those that were asked for.
func standbyAffinity(arch string, chosen labels.Selector) *corev1.Affinity {
	in, notIn := corev1.NodeSelectorOpIn, corev1.NodeSelectorOpNotIn
	wanted := []corev1.NodeSelectorRequirement{
		{Key: corev1.LabelOSStable, Operator: in, Values: []string{"linux"}},
		{Key: corev1.LabelArchStable, Operator: in, Values: []string{arch}},
		{Key: "type", Operator: notIn, Values: []string{"virtual-kubelet", "kwok"}},
		{Key: "eks.amazonaws.com/compute-type", Operator: notIn, Values: []string{"fargate"}},
	}
	if chosen != nil {
		requirements, _ := chosen.Requirements()
		for _, r := range requirements {
			wanted = append(wanted, nodeRequirement(r))
		}
	}
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: wanted}},
		},
	}}
}

// nodeRequirement says a part of a label selector as node affinity does.
func nodeRequirement(r labels.Requirement) corev1.NodeSelectorRequirement {
	n := corev1.NodeSelectorRequirement{Key: r.Key(), Values: r.Values().List()}
	switch r.Operator() {
	case selection.Equals, selection.DoubleEquals, selection.In:
		n.Operator = corev1.NodeSelectorOpIn
	case selection.NotEquals, selection.NotIn:
		n.Operator = corev1.NodeSelectorOpNotIn
	case selection.Exists:
		n.Operator, n.Values = corev1.NodeSelectorOpExists, nil
	case selection.DoesNotExist:
		n.Operator, n.Values = corev1.NodeSelectorOpDoesNotExist, nil
	case selection.GreaterThan:
		n.Operator = corev1.NodeSelectorOpGt
	case selection.LessThan:
		n.Operator = corev1.NodeSelectorOpLt
	}
	return n
}

// packedParts are the ConfigMaps that hold the packed probe. Their names tell what
// is in them: those of another version stand beside until no pod needs them.
func packedParts(s standbySpec) []*corev1.ConfigMap {
	if s.image.by == byItself {
		return nil
	}
	sum := sha256.Sum256(s.packed)
	var parts []*corev1.ConfigMap
	for part := range slices.Chunk(s.packed, packedPart) {
		i := len(parts)
		parts = append(parts, &corev1.ConfigMap{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
			ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: fmt.Sprintf("%s-%s-%d", standbyName(s.arch), hex.EncodeToString(sum[:4]), i),
				Labels: standbyLabels(s.arch), Annotations: map[string]string{annotationVersion: s.version}},
			BinaryData: map[string][]byte{fmt.Sprintf("probe.gz.%d", i): part},
			Immutable:  new(true),
		})
	}
	return parts
}

func packedSource(s standbySpec) corev1.VolumeSource {
	projected := &corev1.ProjectedVolumeSource{DefaultMode: new(int32(0o400))}
	for _, part := range packedParts(s) {
		projected.Sources = append(projected.Sources, corev1.VolumeProjection{ConfigMap: &corev1.ConfigMapProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: part.Name},
		}})
	}
	return corev1.VolumeSource{Projected: projected}
}
