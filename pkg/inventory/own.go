package inventory

import corev1 "k8s.io/api/core/v1"

// Labels that every pod of nodedoc's has.
const (
	LabelName      = "app.kubernetes.io/name"
	LabelManagedBy = "app.kubernetes.io/managed-by"
	AppName        = "nodedoc"
	ManagedBy      = "kubectl-nodedoc"
)

// isOwn says that a pod is a session's, a recorder's or a standby, be it another run's.
func isOwn(p *corev1.Pod) bool {
	return p.Labels[LabelName] == AppName && p.Labels[LabelManagedBy] == ManagedBy
}
