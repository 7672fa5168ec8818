package debugpod

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// A kubelet that pulls an image for another pod, or has pulled it with a
// secret, refuses it to ours: another one is tried, within bounds.
func TestImageThatTheNodeDoesNotUse(t *testing.T) {
	refusing := func(names ...string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			runningAtOnce(p)
			for _, name := range names {
				if p.Spec.Containers[0].Image == name {
					p.Status = waitingFor("ErrImageNeverPull", "not present with pull policy of Never")
				}
			}
		}
	}
	images := []corev1.ContainerImage{{Names: []string{"docker.io/library/busybox:1", "docker.io/library/busybox:latest"}},
		{Names: []string{"docker.io/library/alpine:3"}}, {Names: []string{pauseImage}}}
	for name, c := range map[string]struct {
		asked   string
		images  []corev1.ContainerImage
		kubelet func(*corev1.Pod)
		tried   int
		used    string
		want    string
	}{
		"another tag of it":     {"", images, refusing("docker.io/library/busybox:latest"), 2, "docker.io/library/busybox:1", ""},
		"another known one":     {"", images, refusing("docker.io/library/busybox:latest", "docker.io/library/busybox:1"), 3, "docker.io/library/alpine:3", ""},
		"pause":                 {"", images[1:], refusing("docker.io/library/alpine:3"), 2, pauseImage, ""},
		"not for ever":          {"", images, refusing("docker.io/library/busybox:latest", "docker.io/library/busybox:1", "docker.io/library/alpine:3"), 3, "", "name another one with --image"},
		"not instead of theirs": {"corp/x:1", images, refusing("corp/x:1"), 1, "", "may not use image corp/x:1"},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newFakeCluster(t, testNode(func(n *corev1.Node) { n.Status.Images = c.images }))
			cluster.kubelet = c.kubelet
			s, said, err := begin(t.Context(), cluster, answers, func(cfg *Config) { cfg.Image = c.asked })
			if len(cluster.created) != c.tried {
				t.Errorf("%d pods were tried, want %d", len(cluster.created), c.tried)
			}
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q", err, c.want)
				}
				wantGone(t, cluster)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if used := s.pod.Spec.Containers[0].Image; used != c.used || !strings.Contains(strings.Join(said, "\n"), "trying another one") {
				t.Errorf("used %s, said %q", used, said)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			wantGone(t, cluster)
		})
	}
}
