//go:build e2e

package e2e

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// healthyNode: nothing is found, and the numbers are those of others. Of these there
// are samples, since other tests, and whatever else this machine has to do, come and
// go meanwhile. The kubelet measures every ten seconds: its number is one of the
// time in which samples were taken, too.
func (n *night) healthyNode(t *testing.T) {
	s := sampleNode(t, n.node)
	eventually(t, "the kubelet measures anew", time.Minute, func() bool {
		_, at := kubeletsAvailable(t, n.node)
		return at.After(s.start.Add(time.Second)) // its times are whole seconds
	})
	a := n.memory(t)
	s.finish(t)
	// The machine's kernel may remember a cluster that was there before.
	known := slices.ContainsFunc(a.OOMKills, func(v correlate.OOMVictim) bool { return v.Owner.PodState == correlate.PodKnown })
	for _, f := range a.Findings {
		if f.ID != diagnose.MemoryOOMKills || known {
			t.Errorf("%s on a healthy node: %s %q", f.ID, f.Summary, f.Evidence)
		}
	}
	if a.Kernel == nil || a.Kernel.Available == nil || a.Kubelet == nil || a.Kubelet.Summary == nil || a.Eviction == nil {
		t.Fatalf("incomplete: kernel %t, kubelet %+v, eviction %+v, gaps %+v", a.Kernel != nil, a.Kubelet, a.Eviction, a.Gaps)
	}
	const between = 64 // MiB: what changes from one sample to the next
	s.saw(t, "MemTotal", "total", *a.Kernel.Total, 0)
	s.saw(t, "MemAvailable", "available", *a.Kernel.Available, between)
	s.saw(t, "MemFree", "free", *a.Kernel.Free, between)
	s.saw(t, "Slab", "slab", *a.Kernel.Slab, between)
	k := a.Kubelet
	if _, ok := s.least["usage"]; ok { // the root of cgroup v2 has none
		s.saw(t, "usage", "usage", k.Usage, between)
		s.saw(t, "memory.available", "memory.available", k.Available, between)
		s.saw(t, "the kubelet's own", "memory.available", *k.Summary, between)
	}
	s.saw(t, "inactive_file", "inactive_file", k.InactiveFile, between)
	s.saw(t, "capacity", "total", k.Capacity, 0)
	if k.WorkingSet != k.Usage-k.InactiveFile || k.Available != k.Capacity-k.WorkingSet {
		t.Errorf("the arithmetic does not hold: %+v", k)
	}
	n.thresholds(t, a, map[string]uint64{"100Mi": 100 * mib})
	if a.Eviction.Pressure == nil || *a.Eviction.Pressure {
		t.Errorf("eviction %+v", a.Eviction)
	}
}

// thresholds checks those in force, and the margin to each.
func (n *night) thresholds(t *testing.T, a memoryAnswer, want map[string]uint64) {
	t.Helper()
	if a.Eviction == nil || a.Eviction.Source != "configz" {
		t.Fatalf("eviction %+v, want it of configz; gaps %+v", a.Eviction, a.Gaps)
	}
	found := map[string]bool{}
	for _, th := range a.Eviction.Thresholds {
		if th.Signal != "memory.available" {
			continue
		}
		if found[th.Written] = true; th.Bytes != want[th.Written] || th.Margin != int64(a.Kubelet.Available)-int64(th.Bytes) {
			t.Errorf("%+v, want %d bytes of %d", th, want[th.Written], a.Kubelet.Available)
		}
		if (th.Written == "12%") == th.Hard || (th.Grace == 90) == th.Hard {
			t.Errorf("%+v: hard, soft?", th)
		}
	}
	if len(found) != len(want) {
		t.Errorf("thresholds %+v, want %v", a.Eviction.Thresholds, want)
	}
}

// eviction: a kubelet with other thresholds than the rest, of which one is met.
func (n *night) eviction(t *testing.T) {
	// With a request, since a kubelet that starts under pressure refuses others; not
	// ending well at once, or it would have succeeded, and have no reason.
	report := incidents.PodSpec(n.node, incidents.Container("main", "/actor", "--stubborn", "grow", "100", "80"))
	report.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("16Mi")}
	evictee, err := cluster.Pod(t.Context(), n.namespace, "report", report)
	if err != nil {
		t.Fatal(err)
	}
	capacity, err := strconv.ParseUint(onThisNode(t, n.node, "free -b | awk '/^Mem:/ { print $2 }'"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	available, _ := kubeletsAvailable(t, n.node)
	// More than is available, whatever other tests give back meanwhile.
	hard := available/mib + 1024
	written := strconv.FormatUint(hard, 10) + "Mi"
	kubeletConfig(t, n.node, map[string]any{
		"evictionHard":            map[string]string{"memory.available": written},
		"evictionSoft":            map[string]string{"memory.available": "12%"},
		"evictionSoftGracePeriod": map[string]string{"memory.available": "1m30s"},
	})
	eventually(t, "the kubelet evicts a pod", time.Minute, func() bool {
		p, err := cluster.Client.CoreV1().Pods(n.namespace).Get(t.Context(), evictee.Name, metav1.GetOptions{})
		return err == nil && p.Status.Reason == "Evicted"
	})
	a := n.memory(t)
	n.thresholds(t, a, map[string]uint64{written: hard * mib, "12%": uint64(float64(capacity) * float64(float32(0.12)))})
	if a.Eviction == nil || a.Eviction.Pressure == nil || !*a.Eviction.Pressure {
		t.Errorf("eviction %+v, want pressure", a.Eviction)
	}
	found := false
	for _, e := range a.Evictions {
		if e.Owner.PodUID != string(evictee.UID) {
			continue
		}
		if found = true; e.Owner.Name() != n.namespace+"/report" || e.At == nil || !strings.Contains(e.Message, "low on resource: memory") {
			t.Errorf("evicted: %+v", e)
		}
	}
	if !found {
		t.Errorf("pod report is not among the evicted: %+v", a.Evictions)
	}
	for _, pod := range []*corev1.Pod{n.Walked, n.Cache} {
		stillRuns(t, pod)
	}
}
