package debugpod

import (
	"sync"
	"testing"

	authv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/version"
	fakediscovery "k8s.io/client-go/discovery/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// fakeCluster is client-go's fake with what it lacks: access reviews, dry
// runs, UIDs, and a kubelet in the form of one function.
type fakeCluster struct {
	*fake.Clientset
	mu      sync.Mutex
	denied  map[string]bool // "verb resource"
	admit   func(*corev1.Pod) error
	kubelet func(*corev1.Pod)
	created []*corev1.Pod
}

func newFakeCluster(t *testing.T, objects ...runtime.Object) *fakeCluster {
	t.Helper()
	c := &fakeCluster{Clientset: fake.NewClientset(objects...), denied: map[string]bool{}}
	c.Discovery().(*fakediscovery.FakeDiscovery).FakedServerVersion = &version.Info{Major: "1", Minor: "35+"}
	c.PrependReactor("create", "selfsubjectaccessreviews", c.review)
	c.PrependReactor("create", "pods", c.createPod)
	return c
}

func (c *fakeCluster) review(a clienttesting.Action) (bool, runtime.Object, error) {
	review := a.(clienttesting.CreateAction).GetObject().(*authv1.SelfSubjectAccessReview).DeepCopy()
	r := review.Spec.ResourceAttributes
	what := r.Verb + " " + r.Resource
	if r.Subresource != "" {
		what += "/" + r.Subresource
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	review.Status.Allowed = !c.denied[what]
	return true, review, nil
}

func (c *fakeCluster) createPod(a clienttesting.Action) (bool, runtime.Object, error) {
	create := a.(clienttesting.CreateActionImpl)
	p := create.GetObject().(*corev1.Pod).DeepCopy()
	if c.admit != nil {
		if err := c.admit(p); err != nil {
			return true, nil, err
		}
	}
	if len(create.GetCreateOptions().DryRun) > 0 {
		return true, p, nil
	}
	p.UID, p.CreationTimestamp = "uid-"+"1", metav1.Now()
	if c.kubelet != nil {
		c.kubelet(p)
	}
	c.mu.Lock()
	c.created = append(c.created, p)
	c.mu.Unlock()
	return true, p, c.Tracker().Add(p)
}

// pods are the debug pods that exist.
func (c *fakeCluster) pods(t *testing.T) []corev1.Pod {
	t.Helper()
	list, err := c.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

func testNode(edit func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "worker-1"}, Status: corev1.NodeStatus{
		NodeInfo:    corev1.NodeSystemInfo{OperatingSystem: "linux", Architecture: "amd64"},
		Allocatable: quantities("4", "8Gi"),
		Images:      []corev1.ContainerImage{{Names: []string{"docker.io/library/busybox:1.36"}}},
		Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
	}}
	n.Status.Allocatable[corev1.ResourcePods] = *resourceCount(110)
	if edit != nil {
		edit(n)
	}
	return n
}
