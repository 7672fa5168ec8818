package debugpod

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

func standbyNode(name, arch string, images ...string) *corev1.Node {
	return testNode(func(n *corev1.Node) {
		n.Name = name
		n.Labels = map[string]string{corev1.LabelArchStable: arch, corev1.LabelOSStable: "linux", "pool": name}
		n.Status.NodeInfo.Architecture = arch
		n.Status.Images = nil
		for _, image := range images {
			n.Status.Images = append(n.Status.Images, corev1.ContainerImage{Names: []string{image}})
		}
	})
}

// bigProbe does not compress, so that it takes several ConfigMaps.
func bigProbe(arch string) ([]byte, error) {
	b := []byte("\x7fELF " + arch)
	for i := range uint64(300_000) {
		b = fmt.Appendf(b, "%x", (i+1)*0x9e3779b97f4a7c15)
	}
	return b, nil
}

func install(t *testing.T, c *fakeCluster, cfg Config, selector string) ([]string, string, error) {
	t.Helper()
	cfg.Namespace, cfg.Version = "kube-system", "v1"
	var chosen labels.Selector
	if selector != "" {
		var err error
		if chosen, err = labels.Parse(selector); err != nil {
			t.Fatal(err)
		}
	}
	var said []string
	nodes, err := installStandby(t.Context(), c, cfg.withDefaults(), chosen, bigProbe, func(s string) { said = append(said, s) })
	return nodes, strings.Join(said, "\n"), err
}

// there is what a cluster has of standbys.
func there(t *testing.T, c *fakeCluster) (sets []appsv1.DaemonSet, maps []corev1.ConfigMap) {
	t.Helper()
	s, err := c.AppsV1().DaemonSets("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.CoreV1().ConfigMaps("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Items, m.Items
}

// Two architectures with different images: what the volumes name, one after the other,
// is the probe. Installed again on fewer nodes, nothing of the rest stays.
func TestInstallStandby(t *testing.T) {
	c := newFakeCluster(t, standbyNode("a", "amd64", "docker.io/library/busybox:1.36", "docker.io/library/nginx:1"), standbyNode("b", "amd64", "docker.io/library/nginx:1"),
		standbyNode("arm", "arm64", "registry.k8s.io/pause:3.10"), standbyNode("s390", "s390x"))
	nodes, said, err := install(t, c, Config{}, "")
	if err != nil || !slices.Equal(nodes, []string{"a", "arm", "b"}) {
		t.Fatalf("on %v, %v: %s", nodes, err, said)
	}
	sets, configs := there(t, c)
	if len(sets) != 2 || len(configs) < 4 || len(c.pods(t)) != 0 {
		t.Fatalf("%d DaemonSets, %d ConfigMaps, %d pods", len(sets), len(configs), len(c.pods(t)))
	}
	images := map[string]string{}
	for _, d := range sets {
		images[d.Labels[labelStandby]] = d.Spec.Template.Spec.Containers[0].Image
		want, _ := bigProbe(d.Labels[labelStandby])
		if got := unpacked(t, d, configs); !bytes.Equal(got, want) {
			t.Errorf("%s: the volumes hold %d bytes, the probe has %d", d.Name, len(got), len(want))
		}
	}
	if want := map[string]string{"amd64": "docker.io/library/nginx:1", "arm64": "registry.k8s.io/pause:3.10"}; !maps.Equal(images, want) {
		t.Errorf("images %v", images)
	}
	if !strings.Contains(said, "mounted read-only into image registry.k8s.io/pause:3.10") {
		t.Errorf("said %s", said)
	}
	if nodes, _, err = install(t, c, Config{ProbeImage: "registry.example/probe:1"}, "pool=a"); err != nil || !slices.Equal(nodes, []string{"a"}) {
		t.Fatalf("on %v, %v", nodes, err)
	}
	if sets, configs = there(t, c); len(sets) != 1 || len(configs) != 0 || sets[0].Spec.Template.Spec.Containers[0].Image != "registry.example/probe:1" {
		t.Errorf("%d DaemonSets, %d ConfigMaps", len(sets), len(configs))
	}
	if _, left, err := UninstallStandby(t.Context(), c, "", time.Minute); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if sets, configs = there(t, c); len(sets)+len(configs) > 0 {
		t.Errorf("%d DaemonSets, %d ConfigMaps", len(sets), len(configs))
	}
}

// unpacked is what the pod's shell reads: the files in the order of their names.
func unpacked(t *testing.T, d appsv1.DaemonSet, configs []corev1.ConfigMap) []byte {
	t.Helper()
	files := map[string][]byte{}
	for _, v := range d.Spec.Template.Spec.Volumes {
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			i := slices.IndexFunc(configs, func(m corev1.ConfigMap) bool { return m.Name == source.ConfigMap.Name })
			if i < 0 {
				t.Fatalf("there is no ConfigMap %s", source.ConfigMap.Name)
			}
			maps.Copy(files, configs[i].BinaryData)
			if size := len(slices.Collect(maps.Values(configs[i].BinaryData))[0]); size > 1<<20 {
				t.Errorf("%s has %d bytes", configs[i].Name, size)
			}
		}
	}
	var packed bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(files)) {
		packed.Write(files[name])
	}
	z, err := gzip.NewReader(&packed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestInstallStandbyRefused(t *testing.T) {
	full := standbyNode("full", "amd64", "docker.io/library/busybox:1.36")
	full.Status.Allocatable[corev1.ResourcePods] = *resourceCount(0)
	for name, c := range map[string]struct {
		edit     func(*fakeCluster)
		selector string
		err      string
		said     string
	}{
		"may create what it may not delete": {edit: func(c *fakeCluster) { c.denied["delete daemonsets"] = true }, err: "you may not delete daemonsets"},
		"no such nodes":                     {selector: "pool=none", err: "no node that could have a standby has these labels"},
		"PodSecurity": {edit: func(c *fakeCluster) {
			c.admit = func(*corev1.Pod) error { return forbidden(`violates PodSecurity "baseline:latest": hostPath volumes`) }
		}, err: "PodSecurity"},
		"a sidecar is added": {edit: func(c *fakeCluster) {
			c.admit = func(p *corev1.Pod) error {
				p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "mesh"})
				return nil
			}
		}, err: `container "mesh" added`},
		"may not read what is kept": {edit: func(c *fakeCluster) { c.denied["get nodes/proxy"] = true }, said: "you may not get nodes/proxy"},
		"a node that is full":       {edit: func(c *fakeCluster) { _ = c.Tracker().Add(full) }, said: "without class system-node-critical"},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newFakeCluster(t, standbyNode("a", "amd64", "docker.io/library/busybox:1.36"))
			if c.edit != nil {
				c.edit(cluster)
			}
			_, said, err := install(t, cluster, Config{}, c.selector)
			sets, configs := there(t, cluster)
			switch {
			case c.err == "" && (err != nil || len(sets) != 1):
				t.Errorf("got %v, %d DaemonSets", err, len(sets))
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || len(sets)+len(configs) > 0):
				t.Errorf("got %v, %d DaemonSets, %d ConfigMaps", err, len(sets), len(configs))
			case !strings.Contains(said, c.said):
				t.Errorf("said %q", said)
			}
		})
	}
}
