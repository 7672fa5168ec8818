package debugpod

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func TestSweep(t *testing.T) {
	now := time.Now()
	left := func(name string, age time.Duration, phase corev1.PodPhase, edit func(*corev1.Pod)) runtime.Object {
		p := pod(testSpec(func(s *podSpec) { s.name, s.namespace = name, "default" }))
		p.CreationTimestamp = metav1.NewTime(now.Add(-age))
		p.Status.Phase = phase
		if edit != nil {
			edit(p)
		}
		return p
	}
	objects := func() []runtime.Object {
		return []runtime.Object{
			left("finished", time.Hour, corev1.PodSucceeded, nil),
			left("failed", time.Hour, corev1.PodFailed, nil),
			left("just-finished", time.Minute, corev1.PodSucceeded, nil),
			left("running", time.Minute, corev1.PodRunning, nil),
			left("a-bit-late", 16*time.Minute, corev1.PodRunning, nil),
			left("overdue", time.Hour, corev1.PodRunning, nil),
			left("never-started", time.Hour, corev1.PodPending, nil),
			left("stuck", time.Hour, corev1.PodRunning, func(p *corev1.Pod) {
				p.DeletionTimestamp = &metav1.Time{Time: now.Add(-time.Hour)}
				p.Finalizers = []string{"example.com/guard"}
			}),
			left("being-deleted", time.Hour, corev1.PodRunning, func(p *corev1.Pod) {
				p.DeletionTimestamp = &metav1.Time{Time: now}
				p.Finalizers = []string{"x"}
			}),
			left("somebody-elses", time.Hour, corev1.PodFailed, func(p *corev1.Pod) { p.Labels = map[string]string{"app": "nodedoc"} }),
			left("recorder-live", 11*time.Hour, corev1.PodRunning, recorderOf()),
			left("recorder-overdue", 13*time.Hour, corev1.PodRunning, recorderOf()),
			left("recorder-unread", 13*time.Hour, corev1.PodSucceeded, recorderOf()),
			left("recorder-old", 70*time.Hour, corev1.PodSucceeded, recorderOf()),
			left("elsewhere", time.Hour, corev1.PodFailed, func(p *corev1.Pod) { p.Namespace = "kube-system" }),
		}
	}
	for name, c := range map[string]struct {
		options          SweepOptions
		deleted, running []string
	}{
		"one namespace": {SweepOptions{Namespace: "default"},
			[]string{"default/failed", "default/finished", "default/just-finished", "default/never-started", "default/overdue", "default/recorder-old", "default/recorder-overdue"},
			[]string{"default/a-bit-late", "default/running"}},
		"all namespaces": {SweepOptions{},
			[]string{"default/failed", "default/finished", "default/just-finished", "default/never-started", "default/overdue", "default/recorder-old", "default/recorder-overdue", "kube-system/elsewhere"},
			[]string{"default/a-bit-late", "default/running"}},
		"spare the young": {SweepOptions{Namespace: "default", MinAge: 2 * time.Minute},
			[]string{"default/failed", "default/finished", "default/never-started", "default/overdue", "default/recorder-old", "default/recorder-overdue"},
			[]string{"default/a-bit-late", "default/running"}},
		"force": {SweepOptions{Namespace: "kube-system", Force: true}, []string{"kube-system/elsewhere"}, nil},
		"force running ones": {SweepOptions{Namespace: "default", Force: true},
			[]string{"default/a-bit-late", "default/failed", "default/finished", "default/just-finished", "default/never-started", "default/overdue",
				"default/recorder-live", "default/recorder-old", "default/recorder-overdue", "default/recorder-unread", "default/running"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newFakeCluster(t, objects()...)
			c.options.Now = now
			got, err := Sweep(t.Context(), cluster, c.options)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got.Deleted)
			slices.Sort(got.Running)
			if !slices.Equal(got.Deleted, c.deleted) || !slices.Equal(got.Running, c.running) {
				t.Errorf("deleted %q, running %q", got.Deleted, got.Running)
			}
			recorders := strings.Join(got.Recorders, ";")
			if live := strings.Contains(recorders, "default/recorder-live: records node worker-1 since"); live == (c.options.Force) {
				t.Errorf("recorders left: %q", got.Recorders)
			}
			if unread := strings.Contains(recorders, "default/recorder-unread: recorded node worker-1"); unread == c.options.Force || len(got.Recorders) > 2 {
				t.Errorf("recorders left: %q", got.Recorders)
			}
			stuck := strings.Join(got.Stuck, ";")
			if c.options.Namespace != "kube-system" && (len(got.Stuck) != 1 || !strings.HasPrefix(stuck, "default/stuck") || !strings.Contains(stuck, "example.com/guard")) {
				t.Errorf("stuck %q", got.Stuck)
			}
			for _, p := range cluster.pods(t) {
				if slices.Contains(got.Deleted, p.Namespace+"/"+p.Name) {
					t.Errorf("pod %s/%s is still there", p.Namespace, p.Name)
				}
			}
		})
	}
}

func recorderOf() func(*corev1.Pod) {
	const lasts = 12 * time.Hour
	return func(p *corev1.Pod) {
		p.Labels[labelRecorder] = "true"
		Recording{For: lasts, Every: time.Second}.annotate(p.Annotations, p.Spec.NodeName)
		p.Spec.ActiveDeadlineSeconds = new(int64(Recording{For: lasts}.Lifetime().Seconds()))
		if p.Status.Phase == corev1.PodSucceeded {
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: containerName, State: corev1.ContainerState{
				Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.NewTime(p.CreationTimestamp.Add(lasts))}}}}
		}
	}
}
