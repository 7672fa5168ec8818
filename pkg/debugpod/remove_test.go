package debugpod

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
)

// A pod's record goes as soon as the kubelet has seen its container's end, and
// no sooner.
func TestRecordGoesWithTheContainer(t *testing.T) {
	ended := func(id string) corev1.PodStatus {
		s := terminated("Completed", "", 0)
		s.ContainerStatuses[0].State.Terminated.ContainerID = id
		return s
	}
	for name, c := range map[string]struct {
		became corev1.PodStatus
		drops  bool
	}{
		"ended":                        {ended("containerd://1"), true},
		"runs on":                      {status(corev1.PodRunning, corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}), false},
		"made up by the kubelet":       {ended(""), false},
		"evicted, container unsettled": {corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newFakeCluster(t, testNode(nil))
			cluster.kubelet = runningAtOnce
			pods := corev1.SchemeGroupVersion.WithResource("pods")
			var graces []*int64
			cluster.PrependReactor("delete", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
				o := a.(clienttesting.DeleteActionImpl).DeleteOptions
				graces = append(graces, o.GracePeriodSeconds)
				if o.Preconditions == nil || *o.Preconditions.UID != "uid-1" {
					t.Errorf("deletes %+v", o)
				}
				if o.GracePeriodSeconds != nil {
					return false, nil, nil
				}
				p := cluster.created[0].DeepCopy()
				p.DeletionTimestamp, p.Status = new(metav1.Now()), c.became
				return true, nil, cluster.Tracker().Update(pods, p, p.Namespace)
			})
			s, _, err := begin(t.Context(), cluster, answers, func(cfg *Config) { cfg.RemoveTimeout = 500 * time.Millisecond })
			if err != nil {
				t.Fatal(err)
			}
			s.Finish()
			err = s.Close()
			if (err == nil) != c.drops || (len(graces) == 2) != c.drops {
				t.Errorf("got %v after %d deletions", err, len(graces))
			}
			for _, g := range graces[1:] {
				if *g != 0 {
					t.Errorf("second deletion with %d s", *g)
				}
			}
		})
	}
}
