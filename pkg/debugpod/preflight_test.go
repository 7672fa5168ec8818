package debugpod

import (
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"
)

func resourceCount(n int64) *resource.Quantity { return resource.NewQuantity(n, resource.DecimalSI) }

var errNoProbe = errors.New("this build carries no probe")

func withProbe(arch string) ([]byte, error) {
	if arch != "amd64" {
		return nil, errNoProbe
	}
	return []byte(fakeProbe), nil
}

func testConfig() Config {
	return Config{Node: "worker-1", Namespace: "default", Version: "v0.1.0"}.withDefaults()
}

func runPreflight(t *testing.T, c *fakeCluster, cfg Config) (p *plan, warnings string, err error) {
	t.Helper()
	var all []string
	p, err = preflight(t.Context(), c, cfg, parts{probe: withProbe}, func(w string) { all = append(all, w) })
	for _, p := range c.pods(t) {
		t.Errorf("preflight created pod %s", p.Name)
	}
	return p, strings.Join(all, "\n"), err
}

func TestPreflight(t *testing.T) {
	p, warnings, err := runPreflight(t, newFakeCluster(t, testNode(nil)), testConfig())
	if err != nil || warnings != "" {
		t.Fatalf("got %v, warnings %q", err, warnings)
	}
	if p.pod.Spec.NodeName != "worker-1" || p.pod.Spec.PriorityClassName != criticalClass || !p.webSocket {
		t.Errorf("got %+v", p.pod.Spec)
	}
	if p.pod.Spec.Containers[0].SecurityContext.AppArmorProfile != nil {
		t.Error("a privileged container needs no AppArmor field")
	}
}

func TestPreflightNamesWhatIsMissing(t *testing.T) {
	for denied, want := range map[string]string{
		"get nodes":          "you may not get nodes in",
		"create pods":        "you may not create pods in namespace \"default\"",
		"get pods":           "you may not get pods",
		"delete pods":        "you may not delete pods",
		"create pods/attach": "you may not create pods/attach",
		"create pods,delete pods,create pods/attach": "you may not create pods, delete pods, create pods/attach in",
	} {
		t.Run(denied, func(t *testing.T) {
			c := newFakeCluster(t, testNode(nil))
			for _, d := range strings.Split(denied, ",") {
				c.denied[d] = true
			}
			_, _, err := runPreflight(t, c, testConfig())
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "kubectl create ") {
				t.Errorf("got %v, want %q", err, want)
			}
			if len(c.created) > 0 {
				t.Error("a pod was created")
			}
		})
	}
}

func TestPreflightWithoutGetOnAttachUsesSPDYOnly(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	c.denied["get pods/attach"] = true
	p, _, err := runPreflight(t, c, testConfig())
	if err != nil || p.webSocket {
		t.Errorf("got %v, webSocket %v", err, p.webSocket)
	}
}

func TestPreflightRefusesNodes(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*corev1.Node)
		want string
	}{
		"absent, similar":    {func(n *corev1.Node) { n.Name = "worker-10" }, "did you mean worker-10?"},
		"absent":             {func(n *corev1.Node) { n.Name = "other" }, "see `kubectl get nodes`"},
		"Windows":            {func(n *corev1.Node) { n.Status.NodeInfo.OperatingSystem = "windows" }, "runs windows"},
		"virtual kubelet":    {func(n *corev1.Node) { n.Labels = map[string]string{"type": "virtual-kubelet"} }, "is virtual"},
		"Fargate":            {func(n *corev1.Node) { n.Labels = map[string]string{"eks.amazonaws.com/compute-type": "fargate"} }, "AWS Fargate"},
		"ACI":                {func(n *corev1.Node) { n.Status.NodeInfo.KubeletVersion = "v1.25.0-vk-azure-aci-1.6" }, "is virtual"},
		"tainted as virtual": {func(n *corev1.Node) { n.Spec.Taints = []corev1.Taint{{Key: "virtual-kubelet.io/provider"}} }, "is virtual"},
		"no probe for it":    {func(n *corev1.Node) { n.Status.NodeInfo.Architecture = "s390x" }, errNoProbe.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := runPreflight(t, newFakeCluster(t, testNode(c.edit)), testConfig())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestPreflightWarns(t *testing.T) {
	condition := func(kind corev1.NodeConditionType, s corev1.ConditionStatus, message string) func(*corev1.Node) {
		return func(n *corev1.Node) {
			n.Status.Conditions = []corev1.NodeCondition{{Type: kind, Status: s, Message: message, LastHeartbeatTime: metav1.Unix(1700000000, 0)}}
		}
	}
	for name, c := range map[string]struct {
		edit func(*corev1.Node)
		want string
	}{
		"kubelet is silent": {condition(corev1.NodeReady, corev1.ConditionUnknown, ""), "stopped posting its status at 2023-11-14T22:13:20Z"},
		"not ready":         {condition(corev1.NodeReady, corev1.ConditionFalse, "PLEG is not healthy\x1b"), `PLEG is not healthy\x1b`},
		"no image":          {func(n *corev1.Node) { n.Status.Images = nil }, "may have to pull docker.io/library/busybox:1.36"},
		"full and pressed": {func(n *corev1.Node) {
			condition(corev1.NodeDiskPressure, corev1.ConditionTrue, "")(n)
			n.Status.Allocatable[corev1.ResourcePods] = *resourceCount(0)
		}, "under DiskPressure and has no known room"},
	} {
		t.Run(name, func(t *testing.T) {
			_, warnings, err := runPreflight(t, newFakeCluster(t, testNode(c.edit)), testConfig())
			if err != nil || !strings.Contains(warnings, c.want) {
				t.Errorf("got %v, %q, want %q", err, warnings, c.want)
			}
		})
	}
}

func forbidden(why string) error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "nodedoc", errors.New(why))
}

func TestAdmission(t *testing.T) {
	privileged := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ops", Labels: map[string]string{podSecurityLabel: "privileged"}}}
	system := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kube-system"}}
	for name, c := range map[string]struct {
		admit    func(*corev1.Pod) error
		warning  string
		want     string
		critical bool
	}{
		"PodSecurity": {admit: func(*corev1.Pod) error { return forbidden(`violates PodSecurity "baseline:latest": host namespaces`) },
			want: "try `-n ops`"},
		"class is kept to kube-system": {admit: func(p *corev1.Pod) error {
			if p.Spec.PriorityClassName != "" {
				return forbidden("insufficient quota to match these scopes: [{PriorityClass In [system-node-critical]}]")
			}
			return nil
		}, warning: "may not use priority class system-node-critical"},
		"refused with the class and without": {admit: func(*corev1.Pod) error {
			return forbidden("unable to validate against any security context constraint")
		},
			want: "not allowed in namespace \"default\": try another one with --pod-namespace"},
		"dead webhook": {admit: func(*corev1.Pod) error {
			return apierrors.NewInternalError(errors.New(`failed calling webhook "x": context deadline exceeded`))
		}, want: `failed calling webhook "x"`},
		"webhook without dry run": {admit: func(*corev1.Pod) error {
			return apierrors.NewBadRequest(`admission webhook "x" does not support dry run`)
		}, warning: "not known before it is created", critical: true},
		"sidecar injector": {admit: func(p *corev1.Pod) error {
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "proxy"})
			return nil
		}, want: `container "proxy" added`},
		"AlwaysPullImages": {admit: func(p *corev1.Pod) error {
			p.Spec.Containers[0].ImagePullPolicy = corev1.PullAlways
			return nil
		}, warning: `imagePullPolicy changed from "Never" to "Always"`, critical: true},
		"no such namespace": {admit: func(*corev1.Pod) error {
			return apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "default")
		}, want: `there is no namespace "default"`},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newFakeCluster(t, testNode(nil), privileged, system)
			cluster.admit = c.admit
			p, warnings, err := runPreflight(t, cluster, testConfig())
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q", err, c.want)
				}
				return
			}
			if err != nil || !strings.Contains(warnings, c.warning) {
				t.Fatalf("got %v, %q, want %q", err, warnings, c.warning)
			}
			if got := p.pod.Spec.PriorityClassName != ""; got != c.critical {
				t.Errorf("critical: %v", got)
			}
		})
	}
}

func TestPermissiveNamespace(t *testing.T) {
	ns := func(name, level string) runtime.Object {
		n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if level != "" {
			n.Labels = map[string]string{podSecurityLabel: level}
		}
		return n
	}
	for name, c := range map[string]struct {
		namespaces []runtime.Object
		want       string
	}{
		"labelled before unlabelled": {[]runtime.Object{ns("kube-system", ""), ns("ops", "privileged")}, "ops"},
		"kube-system if unlabelled":  {[]runtime.Object{ns("apps", ""), ns("kube-system", "")}, "kube-system"},
		"none":                       {[]runtime.Object{ns("apps", "baseline"), ns("kube-system", "restricted")}, ""},
		"not the one that refused":   {[]runtime.Object{ns("default", "privileged")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := permissiveNamespace(t.Context(), newFakeCluster(t, c.namespaces...), "default"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A credential plugin that hangs is not ended by a context.
func TestCheckIsBoundedEvenIfCallsAreNot(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	release := make(chan struct{})
	defer close(release)
	c.PrependReactor("create", "selfsubjectaccessreviews", func(clienttesting.Action) (bool, runtime.Object, error) {
		<-release
		return false, nil, nil
	})
	cfg := testConfig()
	cfg.CheckTimeout = 50 * time.Millisecond
	_, err := check(t.Context(), Clients{Kube: c}, cfg, parts{probe: withProbe}, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "did not answer within 50ms") {
		t.Errorf("got %v", err)
	}
}
