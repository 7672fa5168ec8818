package diagnose

import (
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// namable says whether a command may name the pod: a pod that is gone has none,
// and where only the node's files name it, the name is the node's to choose and
// must not become a piece of a shell command.
func namable(o correlate.Owner) bool {
	return o.Type == correlate.OwnerPod && (o.PodState == correlate.PodKnown || o.PodState == correlate.PodUnasked) &&
		len(validation.IsDNS1123Label(o.Namespace)) == 0 && len(validation.IsDNS1123Subdomain(o.Pod)) == 0
}

// Title names an owner with its container and workload.
func Title(o correlate.Owner) string {
	s := o.Name()
	if o.Type == correlate.OwnerPod {
		switch {
		case o.Sandbox:
			s += ", its sandbox"
		case o.Container != "":
			s += ", container " + o.Container
		}
		if o.Workload != "" {
			s += " (" + o.Workload + ")"
		}
		if o.PodState == correlate.PodGone || o.PodState == correlate.PodReplaced {
			s += ", gone"
		}
	}
	return s
}
