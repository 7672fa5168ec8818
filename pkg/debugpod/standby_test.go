package debugpod

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// The whole DaemonSet is compared, as the pod is in TestPod.
func TestStandbySet(t *testing.T) {
	chosen, err := labels.Parse("pool in (batch,web),zone!=b,gpu,!spot,disks>3")
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(*standbySpec){
		"plain": nil,
		"host-shell-arm64-minimal": func(s *standbySpec) {
			s.arch, s.profile, s.critical, s.selector = "arm64", ProfileMinimal, false, chosen
			s.image = imageChoice{name: "registry.k8s.io/pause:3.10", pull: corev1.PullIfNotPresent, by: byHostShell}
		},
		"probe-image": func(s *standbySpec) {
			s.image = imageChoice{name: "registry.example/probe:1", pull: corev1.PullIfNotPresent, by: byItself}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := standbySpec{podSpec: testSpec(nil), packed: make([]byte, packedPart+1), sum: "5e"}
			s.name, s.node, s.lifetimeSeconds, s.command = "", "", 0, nil // a DaemonSet has none of these
			if edit != nil {
				edit(&s)
			}
			got, err := yaml.Marshal(standbySet(s))
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "standby-"+name+".yaml")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("differs from %s:\n%s", golden, got)
			}
		})
	}
}

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

// runStandbyScript runs it on parts of a packed probe.
func runStandbyScript(t *testing.T, shell []string, parts [][]byte, sum string) (stdout, stderr string, err error) {
	t.Helper()
	dir := t.TempDir()
	for i, part := range parts {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("probe.gz.%d", i)), part, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.NewReplacer(packedDir, dir, "probe="+probeDir, "probe="+t.TempDir()).Replace(standbyScript)
	cmd := exec.CommandContext(t.Context(), shell[1], append(append([]string{}, shell[2:]...), "-c", text, appName, "n0nce", sum)...)
	cmd.Env = []string{"PATH=" + shell[0]}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	return out.String(), errOut.String(), err
}

// The shell unpacks the probe and becomes it; of one that is damaged nothing is run.
func TestStandbyScript(t *testing.T) {
	probe := []byte("#!/bin/sh\necho \"standing by: $*\"\n")
	packed, err := gzipped(probe)
	if err != nil {
		t.Fatal(err)
	}
	whole, sum := [][]byte{packed[:10], packed[10:]}, sha256.Sum256(probe)
	good := hex.EncodeToString(sum[:])
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := runStandbyScript(t, shell, whole, good)
			if err != nil || stdout != "standing by: standby n0nce "+report.KeptDir+"\n" {
				t.Errorf("got %q, %q, %v", stdout, stderr, err)
			}
			for what, c := range map[string]struct {
				parts [][]byte
				sum   string
			}{"cut": {whole[:1], good}, "another": {whole, good[2:]}, "disordered": {[][]byte{whole[1], whole[0]}, good}} {
				if stdout, stderr, err := runStandbyScript(t, shell, c.parts, c.sum); err == nil || stdout != "" || !strings.Contains(stderr, "nodedoc: ") {
					t.Errorf("%s: got %q, %q, %v", what, stdout, stderr, err)
				}
			}
		})
	}
}

func standbyPod(edit func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "nodedoc-standby-amd64-x", Labels: standbyLabels("amd64"),
		Annotations: map[string]string{annotationVersion: "v1"}}, Spec: corev1.PodSpec{NodeName: "worker-1", HostPID: true,
		Volumes: []corev1.Volume{{Name: keptVolume, VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: report.KeptDir}}}}}}
	p.Labels[labelSession] = "0123456789abcdef"
	runningAtOnce(p)
	if edit != nil {
		edit(p)
	}
	return p
}

// Two clients at once, and others before: it waits, and takes its own answer.
func TestStandbyCollect(t *testing.T) {
	c := newFakeCluster(t, testNode(nil), standbyPod(nil))
	s, err := FindStandby(t.Context(), c, "worker-1", "default")
	if err != nil || !s.Running || s.Pod != "nodedoc-standby-amd64-x" {
		t.Fatalf("found %+v, %v", s, err)
	}
	attach := func(_ Clients, p *corev1.Pod, _ bool) (attachFunc, error) {
		return func(_ context.Context, s streams) error {
			f, err := report.NewFrameReader(s.stdin, p.Labels[labelSession]).Next()
			if err != nil || f.Type != report.FrameRequest {
				return fmt.Errorf("got %q (%w)", f.Type, err)
			}
			own := asked(f).ReplyTo
			for _, m := range []struct{ nonce, kind, text, host string }{
				{own, report.FrameWait, "2", ""}, {"beef", report.FrameReport, "", "another's"}, {own, report.FrameWait, "0", ""}, {own, report.FrameReport, "", "ours"},
			} {
				payload := []byte(m.text)
				if m.kind == report.FrameReport {
					if payload, err = report.EncodeReport(&report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind, Node: report.Node{Hostname: m.host}}); err != nil {
						return err
					}
				}
				if err := report.WriteFrame(s.stdout, m.nonce, report.Frame{Type: m.kind, Payload: payload}); err != nil {
					return err
				}
			}
			return nil
		}, nil
	}
	var said []string
	r, err := s.collect(t.Context(), Clients{Kube: c}, report.NewRequest(), attach, func(w string) { said = append(said, w) })
	if err != nil || r.Node.Hostname != "ours" || len(said) != 1 || !strings.Contains(said[0], "serves 2 others first") {
		t.Errorf("got %+v, %v, said %q", r, err, said)
	}
	if s.Skew("v1", "kubectl") != "" || !strings.Contains(s.Skew("v2", "kubectl --context=c"), "`kubectl nodedoc --context=c standby install` renews it") {
		t.Errorf("skew: %s", s.Skew("v2", "kubectl --context=c"))
	}
	broken := func(Clients, *corev1.Pod, bool) (attachFunc, error) {
		return func(context.Context, streams) error { return errors.New("dial tcp 10.0.0.1:10250: connection refused") }, nil
	}
	if _, err := s.collect(t.Context(), Clients{Kube: c}, report.NewRequest(), broken, func(string) {}); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
	c.denied["create pods/attach"] = true
	if _, err := s.collect(t.Context(), Clients{Kube: c}, report.NewRequest(), attach, func(string) {}); err == nil || !strings.Contains(err.Error(), "you may not create pods/attach") {
		t.Errorf("got %v", err)
	}
}

// Of two, as while one replaces the other, the one that runs is found; never what only
// has the label, as any pod may.
func TestFindStandby(t *testing.T) {
	for name, edit := range map[string]func(*corev1.Pod){
		"sees its own processes": func(p *corev1.Pod) { p.Spec.HostPID = false },
		"has no disk":            func(p *corev1.Pod) { p.Spec.Volumes = nil },
	} {
		if s, err := FindStandby(t.Context(), newFakeCluster(t, testNode(nil), standbyPod(edit)), "worker-1"); !errors.Is(err, ErrNoStandby) {
			t.Errorf("%s: found %+v, %v", name, s, err)
		}
	}
	pending := standbyPod(func(p *corev1.Pod) { p.Name, p.Status = "a", corev1.PodStatus{Phase: corev1.PodPending} })
	c := newFakeCluster(t, testNode(nil), pending, standbyPod(nil))
	if s, err := FindStandby(t.Context(), c, "worker-1"); err != nil || s.Pod != "nodedoc-standby-amd64-x" {
		t.Errorf("found %+v, %v", s, err)
	}
	if _, err := FindStandby(t.Context(), newFakeCluster(t, testNode(nil)), "worker-1"); !errors.Is(err, ErrNoStandby) {
		t.Errorf("got %v", err)
	}
	swept, err := Sweep(t.Context(), c, SweepOptions{Force: true})
	if err != nil || len(swept.Deleted)+len(swept.Running)+len(swept.Recorders) > 0 || len(c.pods(t)) != 2 {
		t.Errorf("swept %+v, %v", swept, err)
	}
}

// A node that is sick is left to its standby, and nothing is created; without one it is tried.
func TestElsewhere(t *testing.T) {
	sick := testNode(func(n *corev1.Node) {
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionFalse, Message: "container runtime is down"}}
	})
	c := newFakeCluster(t, sick)
	_, _, err := begin(t.Context(), c, answers, func(cfg *Config) { cfg.Elsewhere = func(context.Context) bool { return true } })
	var other *ElsewhereError
	if !errors.As(err, &other) || other.Removed != nil || !strings.Contains(err.Error(), "container runtime is down") || len(c.created) > 0 {
		t.Errorf("got %v, created %d", err, len(c.created))
	}
	c.kubelet = runningAtOnce
	asked := 0
	s, _, err := begin(t.Context(), c, answers, func(cfg *Config) { cfg.Elsewhere = func(context.Context) bool { asked++; return false } })
	if err != nil || asked != 1 {
		t.Fatalf("got %v, asked %d times", err, asked)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// What a kubelet, or what stands before it, may answer.
func TestReadKept(t *testing.T) {
	packed, err := report.EncodeReport(&report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind, Node: report.Node{Hostname: "n"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		code int
		body string
		want string
	}{
		"whole":                {200, string(packed), ""},
		"cut":                  {200, string(packed[:len(packed)-9]), "is no valid report"},
		"none was kept":        {404, "404 page not found\n", `node "worker-1" has no report of a standby (/var/log/nodedoc/report.gz)`},
		"switched off":         {405, "logs endpoint is disabled.\n", "enableSystemLogHandler"},
		"not allowed":          {403, "{}", "you may not get nodes/proxy"},
		"the kubelet is dead":  {502, "dial tcp: connection \x1b[31mrefused", `HTTP status 502: dial tcp: connection \x1b[31mrefused`},
		"a page of some proxy": {200, "<html>", "is no valid report"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/api/v1/nodes/worker-1/proxy/logs/nodedoc/report.gz" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 04:00:00 GMT")
				w.Header().Set("Date", "Sun, 22 Nov 2026 04:01:30 GMT")
				w.WriteHeader(c.code)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			kept, err := ReadKept(t.Context(), Clients{REST: &rest.Config{Host: server.URL}}, "worker-1")
			switch {
			case c.want == "" && (err != nil || kept.Report.Node.Hostname != "n" || kept.Age != 90*time.Second):
				t.Errorf("got %+v, %v", kept, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v", err)
			}
		})
	}
}
