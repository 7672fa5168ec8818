//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

const podSecurity = "pod-security.kubernetes.io/enforce"

// TestPodSecurity: refused by the dry run, and the namespace that the
// message names does.
func TestPodSecurity(t *testing.T) {
	t.Parallel()
	permissive := newPlace(t, node, map[string]string{podSecurity: "privileged"})
	for _, level := range []string{"baseline", "restricted"} {
		t.Run(level, func(t *testing.T) {
			p := newPlace(t, node, map[string]string{podSecurity: level})
			r := p.fd(t, 20*time.Second)
			refused(t, r, "PodSecurity standard of namespace \""+p.namespace+"\"", "violates PodSecurity", level)
			p.nothingCreated(t)
			named := regexp.MustCompile("try `-n ([^`]*)`").FindStringSubmatch(r.stderr)
			if len(named) != 2 {
				t.Fatalf("%q names no other namespace", r.stderr)
			}
			other, err := cluster.Client.CoreV1().Namespaces().Get(t.Context(), named[1], metav1.GetOptions{})
			if err != nil || other.Labels[podSecurity] != "privileged" {
				t.Errorf("named namespace %s with labels %v, want a privileged one: %v", named[1], other.Labels, err)
			}
			answered(t, permissive.fd(t, 30*time.Second))
		})
	}
}

// TestDeadWebhook: refused in time, and the webhook is named.
func TestDeadWebhook(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"closed port":        "https://127.0.0.1:9/",
		"takes, never talks": "https://" + blackHole(t) + "/",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, node, nil)
			validatingWebhook(t, p, url, 10)
			refused(t, p.fd(t, 45*time.Second), "failed calling webhook", webhookName, "--pod-namespace")
			p.nothingCreated(t)
		})
	}
}

// TestMutatingWebhook: the difference is shown, the pod refused.
func TestMutatingWebhook(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ patch, says string }{
		"sidecar":    {`{"op":"add","path":"/spec/containers/-","value":{"name":"mesh","image":"busybox:1"}}`, `container "mesh" added`},
		"image":      {`{"op":"replace","path":"/spec/containers/0/image","value":"mirror.example/busybox:1"}`, `image changed from`},
		"privileges": {`{"op":"replace","path":"/spec/containers/0/securityContext/privileged","value":false}`, `privileged changed from true to false`},
		"uid":        {`{"op":"replace","path":"/spec/containers/0/securityContext/runAsUser","value":1000}`, `runAsUser changed from 0 to 1000`},
		"host pids":  {`{"op":"replace","path":"/spec/hostPID","value":false}`, `hostPID changed from true to false`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, node, nil)
			mutatingWebhook(t, p, c.patch, true)
			refused(t, p.fd(t, 20*time.Second), c.says, "--pod-namespace")
			p.nothingCreated(t)
		})
	}
	t.Run("lies to the dry run", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t, node, nil)
		mutatingWebhook(t, p, `{"op":"add","path":"/spec/containers/-","value":{"name":"mesh","image":"busybox:1"}}`, false)
		refused(t, p.fd(t, time.Minute), `container "mesh" added`, "--pod-namespace")
		if len(seen.of(p.namespace)) != 1 {
			t.Error("no pod was created: nothing was tested")
		}
	})
}

// TestAlwaysPullImages, and no registry: an API server with that
// plugin makes the pod another. The cause is named, and what image would do.
func TestAlwaysPullImages(t *testing.T) {
	t.Parallel()
	p := newPlace(t, node, nil)
	// Not the image of the other tests: while the kubelet tries to pull one, it lets nobody use what the node has of it.
	c := p.command("fd", node, "--interval", "200ms", "--image", incidents.ActorImage)
	c.Args = append([]string{filepath.Join(cluster.Tools, "cluster"), "apiserver", "--dir", os.Getenv("NODEDOC_CLUSTER_DIR"),
		"--admission", "AlwaysPullImages", "--"}, c.Args...)
	c.Path = c.Args[0]
	r := run(t, c)
	p.clean(t)
	refused(t, r, "imagePullPolicy changed from", "the node cannot get image "+incidents.ActorImage, "admission has it pull even what it has",
		"name one of a registry that it reaches, any will do, with --image")
}

// TestLimitRange: the pod fits in, or the OOM kill is named.
func TestLimitRange(t *testing.T) {
	t.Parallel()
	for memory, fits := range map[string]bool{"32Mi": true, "4Mi": false} {
		t.Run(memory, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, node, nil)
			most := corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(memory)}
			limits := &corev1.LimitRange{ObjectMeta: metav1.ObjectMeta{Name: "tiny"},
				Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{Type: corev1.LimitTypeContainer, Max: most, Default: most}}}}
			if _, err := cluster.Client.CoreV1().LimitRanges(p.namespace).Create(t.Context(), limits, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			r := p.fd(t, 90*time.Second)
			if fits {
				answered(t, r)
				return
			}
			refused(t, r)
			if !strings.Contains(strings.ToLower(r.stderr), "memory limit") {
				t.Errorf("%q does not name the memory limit", r.stderr)
			}
		})
	}
}

// TestQuota: limits are always set; an exhausted quota refuses;
// one that keeps the critical class to other namespaces is said.
func TestQuota(t *testing.T) {
	t.Parallel()
	t.Run("requires limits", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t, node, nil)
		quota(t, p, corev1.ResourceQuotaSpec{Hard: resources("limits.cpu", "2", "limits.memory", "1Gi", "requests.cpu", "2", "requests.memory", "1Gi")})
		answered(t, p.fd(t, 30*time.Second))
	})
	t.Run("exhausted", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t, node, nil)
		quota(t, p, corev1.ResourceQuotaSpec{Hard: resources("pods", "0")})
		refused(t, p.fd(t, 20*time.Second), "exceeded quota", "full-of-faults", "--pod-namespace")
		p.nothingCreated(t)
	})
	t.Run("forbids the critical class", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t, node, nil)
		withoutCritical(t, p)
		r := p.fd(t, 30*time.Second)
		answered(t, r)
		if !strings.Contains(r.stderr, "may not use priority class system-node-critical") {
			t.Errorf("%q does not say that the pod is not critical", r.stderr)
		}
	})
}
