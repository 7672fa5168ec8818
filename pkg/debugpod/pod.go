package debugpod

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

const (
	containerName = "nodedoc"
	volumeName    = "probe"
	// probeDir is a tmpfs: the node's disk may be full, and the containerd
	// runtime mounts its own /dev/shm noexec.
	probeDir = "/nodedoc"
	// graceSeconds is short, since the probe has nothing to save, and not 0:
	// that would drop the pod from the API while its container still runs.
	graceSeconds = 2

	labelName      = inventory.LabelName
	labelManagedBy = inventory.LabelManagedBy
	labelSession   = "nodedoc.io/session"
	appName        = inventory.AppName
	managedBy      = inventory.ManagedBy

	// labelRecorder marks the pod of a recorder, which outlives its client.
	labelRecorder = "nodedoc.io/recorder"

	annotationVersion = "nodedoc.io/version"
	annotationAbout   = "nodedoc.io/about"
	// The pod must not keep an empty node from being scaled down.
	annotationEvict = "cluster-autoscaler.kubernetes.io/safe-to-evict"

	criticalClass = "system-node-critical"
)

// podSpec is all that the pod depends on.
type podSpec struct {
	namespace, name, nonce, node string
	arch                         string
	image                        imageChoice
	pullSecret                   string
	profile                      Profile
	server                       serverVersion
	resources                    corev1.ResourceRequirements
	critical                     bool
	lifetimeSeconds              int64
	version                      string
	command                      []string
	record                       *Recording // nil: an ordinary session
}

// pod builds the debug pod. Every line of it is there so that it starts where
// other pods no longer do, and leaves nothing behind: the node is named, so no
// scheduler is needed; the host's network, so no CNI; no service account, no
// disk. It mounts nothing of the host, but for its shell where there is no other:
// a hostPath of / copies the node's mount table and pins the very volumes that
// will not unmount.
func pod(s podSpec) *corev1.Pod {
	return &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: podMeta(s),
		Spec: corev1.PodSpec{
			NodeName:                      s.node,
			Tolerations:                   []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
			PriorityClassName:             priorityClass(s.critical),
			HostPID:                       true,
			HostNetwork:                   true,
			DNSPolicy:                     corev1.DNSDefault,
			AutomountServiceAccountToken:  new(false),
			EnableServiceLinks:            new(false),
			RestartPolicy:                 corev1.RestartPolicyNever,
			ActiveDeadlineSeconds:         new(s.lifetimeSeconds),
			TerminationGracePeriodSeconds: new(int64(graceSeconds)),
			ImagePullSecrets:              pullSecrets(s.pullSecret),
			Containers:                    []corev1.Container{container(s)},
			Volumes:                       volumes(s),
		},
	}
}

func podMeta(s podSpec) metav1.ObjectMeta {
	annotations := map[string]string{
		annotationVersion: s.version,
		annotationAbout:   "diagnoses node " + s.node + ", ends by itself; `kubectl nodedoc cleanup` removes what is left",
		annotationEvict:   "true",
	}
	if s.profile == ProfileMinimal && !s.server.atLeast(1, 30) {
		annotations[corev1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix+containerName] =
			corev1.DeprecatedAppArmorBetaProfileNameUnconfined
	}
	labels := map[string]string{
		labelName:      appName,
		labelManagedBy: managedBy,
		labelSession:   s.nonce,
	}
	if s.record != nil {
		labels[labelRecorder] = "true"
		s.record.annotate(annotations, s.node)
	}
	return metav1.ObjectMeta{Namespace: s.namespace, Name: s.name, Labels: labels, Annotations: annotations}
}

func container(s podSpec) corev1.Container {
	c := corev1.Container{
		Name:            containerName,
		Image:           s.image.name,
		ImagePullPolicy: s.image.pull,
		Command:         s.command,
		WorkingDir:      "/", // the image's own may be below a mount that is read-only
		Stdin:           true,
		// The first attach is the last: when it ends, so does stdin, and the
		// probe with it. A recorder goes on, and is asked by later ones.
		StdinOnce:       s.record == nil,
		Resources:       s.resources,
		SecurityContext: securityContext(s.profile, s.server),
		// What the script says on failure reaches us in the pod's status, too.
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
	}
	if s.image.by != byItself {
		c.VolumeMounts = []corev1.VolumeMount{{Name: volumeName, MountPath: probeDir}}
	}
	if s.image.by == byHostShell {
		c.Env = loaderEnv()
		c.VolumeMounts = append(c.VolumeMounts, hostMounts(s.arch)...)
	}
	return c
}

// volumes are the tmpfs that the probe is delivered to, and what starts it
// there.
func volumes(s podSpec) []corev1.Volume {
	if s.image.by == byItself {
		return nil
	}
	v := []corev1.Volume{{
		Name: volumeName,
		VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{
			Medium:    corev1.StorageMediumMemory,
			SizeLimit: resource.NewQuantity(maxProbeBytes, resource.BinarySI),
		}},
	}}
	if s.image.by == byHostShell {
		v = append(v, hostVolumes(s.arch)...)
	}
	return v
}

func priorityClass(critical bool) string {
	if critical {
		return criticalClass
	}
	return ""
}

func pullSecrets(name string) []corev1.LocalObjectReference {
	if name == "" {
		return nil
	}
	return []corev1.LocalObjectReference{{Name: name}}
}
