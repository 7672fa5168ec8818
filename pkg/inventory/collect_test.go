package inventory

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

func owned(apiVersion, kind, name string) []metav1.OwnerReference {
	if kind == "" {
		return nil
	}
	controller := true
	return []metav1.OwnerReference{
		{APIVersion: "v1", Kind: "ConfigMap", Name: "owns, and controls nothing"},
		{APIVersion: apiVersion, Kind: kind, Name: name, Controller: &controller},
	}
}

func pod(name string, owners []metav1.OwnerReference) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: name, UID: "uid-of-pod", OwnerReferences: owners},
		Spec: corev1.PodSpec{NodeName: "n1"}}
}

func replicaSet(name string, owners []metav1.OwnerReference) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: name, OwnerReferences: owners}}
}

func job(name string, owners []metav1.OwnerReference) *batchv1.Job {
	return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: name, OwnerReferences: owners}}
}

func TestWorkload(t *testing.T) {
	client := func(p *corev1.Pod) *fake.Clientset {
		return fake.NewClientset(p,
			replicaSet("web-5d9", owned("apps/v1", "Deployment", "web")),
			replicaSet("roll-5d9", owned("argoproj.io/v1alpha1", "Rollout", "roll")),
			replicaSet("bare-rs", nil),
			job("backup-28", owned("batch/v1", "CronJob", "backup")),
			job("once", nil))
	}
	for name, c := range map[string]struct {
		owners []metav1.OwnerReference
		want   string
	}{
		"of a deployment":                {owned("apps/v1", "ReplicaSet", "web-5d9"), "Deployment/web"},
		"of an Argo rollout":             {owned("apps/v1", "ReplicaSet", "roll-5d9"), "Rollout/roll"},
		"of a replica set alone":         {owned("apps/v1", "ReplicaSet", "bare-rs"), "ReplicaSet/bare-rs"},
		"of a cron job":                  {owned("batch/v1", "Job", "backup-28"), "CronJob/backup"},
		"of a job alone":                 {owned("batch/v1", "Job", "once"), "Job/once"},
		"of a stateful set":              {owned("apps/v1", "StatefulSet", "db"), "StatefulSet/db"},
		"of a daemon set":                {owned("apps/v1", "DaemonSet", "log"), "DaemonSet/log"},
		"of an operator's kind":          {owned("kafka.io/v1", "Kafka", "k"), "Kafka/k"},
		"of Volcano's Job":               {owned("batch.volcano.sh/v1alpha1", "Job", "backup-28"), "Job/backup-28"},
		"of nobody":                      {nil, ""},
		"static":                         {owned("v1", "Node", "n1"), "static pod"},
		"of a replica set that is gone":  {owned("apps/v1", "ReplicaSet", "deleted"), "ReplicaSet/deleted"},
		"owner named to harm a terminal": {owned("x.io/v1", "Kind\x1b[2J", "name\u202e"), `Kind\x1b[2J/name\u202e`},
	} {
		t.Run(name, func(t *testing.T) {
			inv := NewAsker(client(pod("p", c.owners)), "n1").Ask(context.Background())
			if len(inv.Pods) != 1 || inv.Pods[0].Workload != c.want || inv.PodsError+inv.WorkloadsError != "" {
				t.Errorf("got %+v, want workload %q", inv, c.want)
			}
		})
	}
}

func TestPod(t *testing.T) {
	now := metav1.NewTime(time.Unix(1_700_000_000, 0))
	p := pod("hub-0", nil)
	p.DeletionTimestamp, p.Finalizers = &now, []string{"x/y"}
	p.Annotations = map[string]string{"kubernetes.io/config.hash": "copied from a static pod's manifest"}
	p.Labels = map[string]string{"app": "hub"}
	p.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: "10.0.0.7"}, {IP: "fd00::7"}},
		InitContainerStatuses:      []corev1.ContainerStatus{{Name: "init", ContainerID: "docker://aa"}},
		ContainerStatuses:          []corev1.ContainerStatus{{Name: "app", ContainerID: "containerd://bb"}, {Name: "waiting"}, {Name: "odd", ContainerID: "cc"}},
		EphemeralContainerStatuses: []corev1.ContainerStatus{{Name: "debugger-x", ContainerID: "cri-o://dd"}},
	}
	want := Pod{Namespace: "prod", Name: "hub-0", UID: "uid-of-pod", Phase: "Running", Deleting: true, DeleteBy: 1_700_000_000, Labels: map[string]string{"app": "hub"}, IPs: []string{"10.0.0.7", "fd00::7"}, Containers: []Container{
		{Name: "init", ID: "aa"}, {Name: "app", ID: "bb"}, {Name: "waiting"}, {Name: "odd"}, {Name: "debugger-x", ID: "dd"}}}
	if got := NewAsker(fake.NewClientset(p), "n1").Ask(context.Background()).Pods; len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWhenAPodEnded(t *testing.T) {
	at := func(seconds int64) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.Unix(seconds, 0)}}
	}
	for phase, want := range map[corev1.PodPhase]int64{corev1.PodSucceeded: 1_700_000_300, corev1.PodRunning: 0} {
		p := pod("job-0", nil)
		p.Status = corev1.PodStatus{Phase: phase, InitContainerStatuses: []corev1.ContainerStatus{{Name: "init", State: at(1_700_000_000)}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "a", State: at(1_700_000_300)}, {Name: "b", State: at(1_700_000_100)}, {Name: "never started"}}}
		if got := NewAsker(fake.NewClientset(p), "n1").Ask(context.Background()).Pods; got[0].EndedAt != want {
			t.Errorf("%s: got %d, want %d", phase, got[0].EndedAt, want)
		}
	}
}

// The node's address is not the pod's alone.
func TestPodOnTheNodesNetworkHasNoAddress(t *testing.T) {
	p := pod("proxy-0", nil)
	p.Spec.HostNetwork, p.Status.PodIPs = true, []corev1.PodIP{{IP: "192.0.2.1"}}
	if got := NewAsker(fake.NewClientset(p), "n1").Ask(context.Background()).Pods; len(got[0].IPs) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestStaticPod(t *testing.T) {
	p := pod("etcd-n1", owned("v1", "Node", "n1"))
	p.Annotations = map[string]string{"kubernetes.io/config.hash": "5f0e4b7c", "kubernetes.io/config.mirror": "5f0e4b7c", "kubernetes.io/config.source": "file"}
	got := NewAsker(fake.NewClientset(p), "n1").Ask(context.Background()).Pods
	if len(got) != 1 || got[0].ConfigHash != "5f0e4b7c" || got[0].UID != "uid-of-pod" || got[0].Workload != "static pod" {
		t.Errorf("got %+v", got)
	}
}

// The server selects: a cluster has ten thousand pods, a node two hundred.
func TestOnlyTheNodesPodsAreAskedFor(t *testing.T) {
	client := fake.NewClientset()
	NewAsker(client, "n1").Ask(context.Background())
	for _, a := range client.Actions() {
		list, ok := a.(clienttesting.ListActionImpl)
		if !ok || list.GetResource().Resource != "pods" {
			t.Fatalf("unexpected %+v", a)
		}
		if got := list.GetListRestrictions().Fields.String(); got != "spec.nodeName=n1" {
			t.Errorf("field selector %q", got)
		}
		if got := list.GetListOptions().ResourceVersion; got != "0" {
			t.Errorf("resource version %q: 0 spares etcd", got)
		}
		if list.GetNamespace() != "" {
			t.Errorf("namespace %q, want all", list.GetNamespace())
		}
	}
	if len(client.Actions()) != 1 {
		t.Errorf("%d requests, want 1", len(client.Actions()))
	}
}

func TestEachControllerIsFetchedOnce(t *testing.T) {
	objects := []runtime.Object{replicaSet("web-5d9", owned("apps/v1", "Deployment", "web")), job("backup-28", nil)}
	for _, name := range []string{"a", "b", "c"} {
		objects = append(objects, pod("web-"+name, owned("apps/v1", "ReplicaSet", "web-5d9")), pod("backup-"+name, owned("batch/v1", "Job", "backup-28")),
			pod("db-"+name, owned("apps/v1", "StatefulSet", "db")))
	}
	client := fake.NewClientset(objects...)
	inv := NewAsker(client, "n1").Ask(context.Background())
	var gets []string
	for _, a := range client.Actions() {
		if get, ok := a.(clienttesting.GetAction); ok {
			gets = append(gets, get.GetResource().Resource+"/"+get.GetName())
		}
	}
	slices.Sort(gets)
	if want := []string{"jobs/backup-28", "replicasets/web-5d9"}; !slices.Equal(gets, want) || len(inv.Pods) != 9 {
		t.Errorf("fetched %q for %d pods, want %q", gets, len(inv.Pods), want)
	}
}

// A watch asks for the pods each time; their controllers do not change.
func TestAskingAgainFetchesNoControllerTwice(t *testing.T) {
	client := fake.NewClientset(replicaSet("web-5d9", owned("apps/v1", "Deployment", "web")), pod("web-a", owned("apps/v1", "ReplicaSet", "web-5d9")))
	asker := NewAsker(client, "n1")
	for range 3 {
		if inv := asker.Ask(context.Background()); len(inv.Pods) != 1 || inv.Pods[0].Workload != "Deployment/web" {
			t.Fatalf("got %+v", inv)
		}
	}
	lists, gets := 0, 0
	for _, a := range client.Actions() {
		if a.GetVerb() == "list" {
			lists++
		} else {
			gets++
		}
	}
	if lists != 3 || gets != 1 {
		t.Errorf("%d lists and %d gets, want 3 and 1", lists, gets)
	}
}

// forbid makes every request of a verb and resource fail.
func forbid(client *fake.Clientset, verb, resource string) {
	client.PrependReactor(verb, resource, func(a clienttesting.Action) (bool, runtime.Object, error) {
		name := ""
		if get, ok := a.(clienttesting.GetAction); ok {
			name = get.GetName()
		}
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: resource}, name, nil)
	})
}

func TestForbiddenPods(t *testing.T) {
	client := fake.NewClientset(pod("p", nil))
	forbid(client, "list", "pods")
	inv := NewAsker(client, "n1").Ask(context.Background())
	if !strings.Contains(inv.PodsError, "forbidden") || len(inv.Pods) > 0 || inv.Node != "n1" {
		t.Errorf("got %+v", inv)
	}
}

func TestForbiddenReplicaSets(t *testing.T) {
	first := `replicasets "aaa" is forbidden: <nil>`
	for range 20 { // whichever answer comes first
		client := fake.NewClientset(pod("p1", owned("apps/v1", "ReplicaSet", "aaa")), pod("p2", owned("apps/v1", "ReplicaSet", "bbb")),
			pod("p3", owned("batch/v1", "Job", "backup-28")), job("backup-28", owned("batch/v1", "CronJob", "backup")))
		forbid(client, "get", "replicasets")
		inv := NewAsker(client, "n1").Ask(context.Background())
		var got []string
		for _, p := range inv.Pods {
			got = append(got, p.Workload)
		}
		want := []string{"ReplicaSet/aaa", "ReplicaSet/bbb", "CronJob/backup"}
		if !slices.Equal(got, want) || inv.PodsError != "" || inv.WorkloadsError != first {
			t.Fatalf("got %q, %+v, want %q and %q", got, inv, want, first)
		}
	}
}
