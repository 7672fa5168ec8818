package debugpod

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The kubelet's event of a start comes before the status that says so; that of
// anybody else does not count.
func TestStartedByEvent(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*corev1.Event)
		runs bool
	}{
		"the kubelet's":           {nil, true},
		"of another pod":          {func(e *corev1.Event) { e.InvolvedObject.UID = "other" }, false},
		"of another container":    {func(e *corev1.Event) { e.InvolvedObject.FieldPath = "spec.containers{x}" }, false},
		"by somebody else":        {func(e *corev1.Event) { e.Source.Component = "mallory" }, false},
		"by another node":         {func(e *corev1.Event) { e.Source.Host = "worker-2" }, false},
		"created and not started": {func(e *corev1.Event) { e.Reason = "Created" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newFakeCluster(t, testNode(nil))
			cluster.kubelet = func(p *corev1.Pod) {
				p.Status = waitingFor("ContainerCreating", "")
				e := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "e", Namespace: p.Namespace}, Reason: "Started",
					InvolvedObject: corev1.ObjectReference{UID: p.UID, FieldPath: "spec.containers{nodedoc}"},
					Source:         corev1.EventSource{Component: "kubelet", Host: "worker-1"}}
				if c.edit != nil {
					c.edit(e)
				}
				time.AfterFunc(100*time.Millisecond, func() { // the fake's watch does not repeat what was there
					if err := cluster.Tracker().Add(e); err != nil {
						t.Error(err)
					}
				})
			}
			s, _, err := begin(t.Context(), cluster, answers, func(cfg *Config) { cfg.StartTimeout = 700 * time.Millisecond })
			if (err == nil) != c.runs {
				t.Errorf("got %v", err)
			}
			if s != nil {
				s.Finish()
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			wantGone(t, cluster)
		})
	}
}
