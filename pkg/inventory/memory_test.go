package inventory

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// server answers by path; what it does not know is 404. It needs no network.
type server map[string]http.HandlerFunc

func (s server) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	answer := s[r.URL.Path]
	if answer == nil {
		answer = http.NotFound
	}
	if answer(w, r); r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	return w.Result(), nil
}

func (s server) client(t *testing.T) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(&rest.Config{Host: "http://test", Transport: s})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func refuse(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if !json.Valid([]byte(body)) {
			w.Header().Set("Content-Type", "text/plain")
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(body))
	}
}

func text(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(s)) }
}

func object(o any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(o) }
}

const (
	nodePath    = "/api/v1/nodes/n1"
	configPath  = "/api/v1/nodes/n1/proxy/configz"
	summaryPath = "/api/v1/nodes/n1/proxy/stats/summary"
	eventsPath  = "/api/v1/events"
	podsPath    = "/api/v1/pods"

	configz = `{"kubeletconfig":{"evictionHard":{"memory.available":"500Mi"},"evictionSoft":{"memory.available":"12%"},
		"evictionSoftGracePeriod":{"memory.available":"1m30s"},"kubeReserved":{"memory":"1Gi"},"enforceNodeAllocatable":["pods"],
		"failSwapOn":false,"cgroupDriver":"systemd","evictionMaxPodGracePeriod":60,"unknown":{"a":[1]}}}`
	summary = `{"node":{"memory":{"time":"2026-11-22T03:00:00Z","availableBytes":1000,"usageBytes":900,"workingSetBytes":800,"rssBytes":700},
		"systemContainers":[{"name":"pods","memory":{"workingSetBytes":500}},{"name":"kubelet"}]},
		"pods":[{"podRef":{"uid":"u1"},"memory":{"workingSetBytes":400},"volume":[{"name":"shm","usedBytes":64},{"name":"unknown"}]}]}`
)

func healthy() server {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}, Status: corev1.NodeStatus{
		Capacity: corev1.ResourceList{"memory": resource.MustParse("16Gi")}, Allocatable: corev1.ResourceList{"memory": resource.MustParse("15Gi")},
		NodeInfo:   corev1.NodeSystemInfo{KubeletVersion: "v1.28.3"},
		Conditions: []corev1.NodeCondition{{Type: "MemoryPressure", Status: "True", Reason: "KubeletHasInsufficientMemory", Message: "kubelet\x1b[2J", LastTransitionTime: metav1.Unix(1000, 0)}}}}
	return server{nodePath: object(node), configPath: text(configz), summaryPath: text(summary), eventsPath: object(&corev1.EventList{}), podsPath: object(&corev1.PodList{})}
}

func askAll(t *testing.T, s server) *Inventory {
	t.Helper()
	return NewAsker(s.client(t), "n1").WithMemory().Ask(t.Context())
}

func TestMemory(t *testing.T) {
	n := func(v uint64) *uint64 { return &v }
	got := askAll(t, healthy()).Memory
	no := false
	want := &Memory{Capacity: 16 << 30, Allocatable: 15 << 30, KubeletVersion: "v1.28.3",
		Conditions: []Condition{{Type: "MemoryPressure", Status: "True", Reason: "KubeletHasInsufficientMemory", Message: `kubelet\x1b[2J`, Since: 1000}},
		Config: &KubeletConfig{EvictionHard: map[string]string{"memory.available": "500Mi"}, EvictionSoft: map[string]string{"memory.available": "12%"},
			EvictionSoftGracePeriod: map[string]string{"memory.available": "1m30s"}, EvictionMaxPodGrace: 60, KubeReserved: map[string]string{"memory": "1Gi"},
			EnforceNodeAllocatable: []string{"pods"}, FailSwapOn: &no, CgroupDriver: "systemd"},
		Summary: &Summary{Node: SummaryMemory{Time: 1795316400, Available: n(1000), Usage: n(900), WorkingSet: n(800), RSS: n(700)},
			System: map[string]SummaryMemory{"pods": {WorkingSet: n(500)}, "kubelet": {}},
			Pods:   []SummaryPod{{UID: "u1", Memory: SummaryMemory{WorkingSet: n(400)}, Volumes: map[string]uint64{"shm": 64}}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\n%+v\n%+v", got, got.Config, got.Summary)
	}
}

func TestMemoryIsNotAskedForUnasked(t *testing.T) {
	if inv := NewAsker(healthy().client(t), "n1").Ask(t.Context()); inv.Memory != nil {
		t.Errorf("got %+v", inv.Memory)
	}
}

// A hung runtime has the kubelet hang in stats/summary, and answer configz.
func TestHungRuntimeTakesNothingElseAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := healthy()
		s[summaryPath] = hang
		start := time.Now()
		m := askAll(t, s).Memory
		if m.Config == nil || m.Capacity == 0 || m.Summary != nil || m.SummaryError != "no answer within 10s" || time.Since(start) > kubeletPatience {
			t.Errorf("got %+v after %s", m, time.Since(start))
		}
	})
}

func TestWhatTheAPIServerDoesNotSay(t *testing.T) {
	const (
		noRight = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"nodes \"n1\" is forbidden: User \"u\" cannot get resource \"nodes/proxy\""}`
		itself  = "Forbidden (user=kube-apiserver-kubelet-client, verb=get, resource=nodes, subresource=[configz proxy])"
	)
	for name, c := range map[string]struct {
		path   string
		answer http.HandlerFunc
		of     func(*Memory) string
		want   string
	}{
		"no right to ask the kubelet": {configPath, refuse(noRight), func(m *Memory) string { return m.ConfigError }, `the right to get nodes/proxy is missing: nodes "n1" is forbidden`},
		"no right to its statistics":  {summaryPath, refuse(noRight), func(m *Memory) string { return m.SummaryError }, "the right to get nodes/proxy is missing"},
		"the API server has no right": {configPath, refuse(itself), func(m *Memory) string { return m.ConfigError }, "the kubelet refuses the API server"},
		"no right to the node":        {nodePath, refuse(noRight), func(m *Memory) string { return m.NodeError }, "the right to get nodes is missing"},
		"no right to events":          {eventsPath, refuse(noRight), func(m *Memory) string { return m.EventsError }, "the right to list events in all namespaces is missing"},
		"no JSON":                     {configPath, text("<html>\x1b[2J"), func(m *Memory) string { return m.ConfigError }, "no JSON"},
		"not what was asked for":      {configPath, text("{}"), func(m *Memory) string { return m.ConfigError }, "no kubeletconfig"},
		"of another form":             {summaryPath, text(`{"node":7}`), func(m *Memory) string { return m.SummaryError }, "failed to read the kubelet's stats/summary"},
		"an ancient kubelet":          {configPath, nil, func(m *Memory) string { return m.ConfigError }, "could not find the requested resource"},
		"too much": {summaryPath, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, maxKubeletAnswer+2)) },
			func(m *Memory) string { return m.SummaryError }, "larger than 32 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy()
			s[c.path] = c.answer
			m := askAll(t, s).Memory
			if got := c.of(m); !strings.Contains(got, c.want) || strings.Contains(got, "\x1b") {
				t.Errorf("got %q", got)
			}
			if said := m.NodeError + m.ConfigError + m.SummaryError + m.EventsError; said != c.of(m) {
				t.Errorf("others failed along: %q", said)
			}
		})
	}
}

func event(namespace, kind, name, reason, host string, last int64) corev1.Event {
	return corev1.Event{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.Unix(last-50, 0)}, InvolvedObject: corev1.ObjectReference{Kind: kind, Namespace: namespace, Name: name, UID: "u-1"}, Reason: reason,
		Source: corev1.EventSource{Host: host}, LastTimestamp: metav1.Unix(last, 0), Message: "m\u202e"}
}

func TestEvents(t *testing.T) {
	s := healthy()
	s[eventsPath] = func(w http.ResponseWriter, r *http.Request) {
		list := corev1.EventList{}
		switch selector, more := r.FormValue("fieldSelector"), r.FormValue("continue"); {
		case selector == "involvedObject.kind=Node,involvedObject.name=n1":
			list.Items = []corev1.Event{event("", "Node", "n1", "SystemOOM", "n1", 200)}
		case selector == "involvedObject.kind=Pod,reason=Evicted" && more == "":
			list.Items, list.Continue = []corev1.Event{event("a", "Pod", "p", "Evicted", "n2", 500), event("a", "Pod", "q", "Evicted", "n1", 100)}, "next"
		case selector == "involvedObject.kind=Pod,reason=Evicted":
			newer := event("b", "Pod", "r", "Evicted", "", 0) // by events.k8s.io/v1
			newer.ReportingInstance, newer.LastTimestamp, newer.EventTime = "n1", metav1.Time{}, metav1.NewMicroTime(time.Unix(300, 0))
			newer.Series = &corev1.EventSeries{Count: 4, LastObservedTime: metav1.NewMicroTime(time.Unix(400, 0))}
			list.Items = []corev1.Event{newer}
		default:
			t.Errorf("unexpected %q", selector)
		}
		_ = json.NewEncoder(w).Encode(list)
	}
	want := []Event{
		{Reason: "Evicted", Message: `m\u202e`, Namespace: "b", Pod: "r", PodUID: "u-1", Count: 4, First: 300, Last: 400},
		{Reason: "SystemOOM", Message: `m\u202e`, First: 150, Last: 200},
		{Reason: "Evicted", Message: `m\u202e`, Namespace: "a", Pod: "q", PodUID: "u-1", First: 50, Last: 100},
	}
	got := askAll(t, s).Memory.Events
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestNewestEventsAreKept(t *testing.T) {
	s := healthy()
	s[eventsPath] = func(w http.ResponseWriter, r *http.Request) {
		list := corev1.EventList{}
		if strings.Contains(r.FormValue("fieldSelector"), "kind=Node") {
			for i := range int64(2 * maxEvents) {
				list.Items = append(list.Items, event("", "Node", "n1", fmt.Sprint(i), "n1", 1+i))
			}
			list.Continue = "for ever" // a server in trouble
		}
		_ = json.NewEncoder(w).Encode(list)
	}
	got := askAll(t, s).Memory.Events
	if len(got) != maxEvents || got[0].Last != 2*maxEvents {
		t.Errorf("%d events, the first of %d", len(got), got[0].Last)
	}
}
