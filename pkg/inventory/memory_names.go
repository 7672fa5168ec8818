package inventory

import (
	"context"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// maxNamed pods are asked for: of each the API server goes through all of its
	// events, for which it has no index.
	maxNamed       = 8
	namesPatience  = 10 * time.Second
	maxEventsOfPod = 100
	maxPodUID      = 64 // bytes; a UUID has 36, a static pod's hash 32
)

// PodName is who a pod was that nothing but its events is left of. The API server
// keeps these for an hour after the last of them (--event-ttl).
type PodName struct {
	UID string `json:"uid"`
	// Namespace and Pod are "" where there are no events any more: they also go with
	// their namespace.
	Namespace string `json:"namespace,omitempty"`
	Pod       string `json:"pod,omitempty"`
	// Containers that its events are about, by name.
	Containers []string `json:"containers,omitempty"`
	// Scheduled: the event of its being scheduled is there, and so are all later ones.
	Scheduled bool `json:"scheduled,omitempty"`
	// First is when the oldest of its events first was, seconds since 1970.
	First int64 `json:"first,omitempty"`
}

// AskNames asks, by their UIDs, who pods were that neither the API server nor the
// node has any more, and adds the answers to inv.Memory. Each is asked for once, and
// only the first few are. It does not fail: what could not be asked is said in the
// result.
func (a *Asker) AskNames(ctx context.Context, inv *Inventory, uids []string) {
	m := inv.Memory
	if m == nil || m.EventsError != "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, namesPatience)
	defer cancel()
	for _, uid := range uids[:min(len(uids), maxNamed)] {
		if len(uid) > maxPodUID || len(validation.IsDNS1123Subdomain(uid)) > 0 {
			continue // the node's to choose
		}
		name, asked := a.names[uid]
		if !asked {
			var err error
			if name, err = a.askName(ctx, uid); err != nil {
				m.EventsError = report.Escape(whyNot(err, "list events in all namespaces"))
				return
			}
			a.names[uid] = name
		}
		m.PodNames = append(m.PodNames, name)
	}
}

func (a *Asker) askName(ctx context.Context, uid string) (PodName, error) {
	list, err := a.client.CoreV1().Events(metav1.NamespaceAll).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("involvedObject.uid", uid).String(), Limit: maxEventsOfPod})
	if err != nil {
		return PodName{}, err
	}
	return nameOf(uid, list.Items, list.Continue == ""), nil
}

// nameOf reads it off a pod's events: whole says that these are all. There may be
// none any more.
func nameOf(uid string, events []corev1.Event, whole bool) PodName {
	name := PodName{UID: uid}
	for i := range events {
		e := &events[i]
		o := e.InvolvedObject
		if o.Kind != "Pod" || string(o.UID) != uid || o.Name == "" {
			continue
		}
		name.Namespace, name.Pod = report.Escape(o.Namespace), report.Escape(o.Name)
		name.Scheduled = name.Scheduled || whole && e.Reason == "Scheduled"
		if first := fromEvent(e).First; name.First == 0 || first < name.First {
			name.First = first
		}
		if c := containerOf(o.FieldPath); c != "" && !slices.Contains(name.Containers, c) {
			name.Containers = append(name.Containers, c)
		}
	}
	slices.Sort(name.Containers)
	if !whole { // more may be about others
		name.First = 0
	}
	return name
}

// containerOf is the container that an event's fieldPath names:
//
//	spec.containers{import}   spec.initContainers{migrate}   spec.ephemeralContainers{debugger}
func containerOf(fieldPath string) string {
	kind, name, ok := strings.Cut(fieldPath, "{")
	name, closed := strings.CutSuffix(name, "}")
	if !ok || !closed || len(validation.IsDNS1123Label(name)) > 0 {
		return ""
	}
	switch kind {
	case "spec.containers", "spec.initContainers", "spec.ephemeralContainers":
		return name
	}
	return ""
}
