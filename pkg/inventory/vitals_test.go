package inventory

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	proxyPath = "/api/v1/nodes/n1/proxy/"
	// plegMetrics of a kubelet whose runtime has stopped 500 s ago.
	plegMetrics = `# TYPE kubelet_pleg_last_seen_seconds gauge
kubelet_pleg_last_seen_seconds 9.46684e+08
# TYPE kubelet_pleg_relist_duration_seconds histogram
kubelet_pleg_relist_duration_seconds_bucket{le="+Inf"} 4
kubelet_pleg_relist_duration_seconds_sum 2
kubelet_pleg_relist_duration_seconds_count 4
# TYPE kubelet_running_containers gauge
kubelet_running_containers{container_state="created"} 1
kubelet_running_containers{container_state="running"} 7
# TYPE kubelet_running_pods gauge
kubelet_running_pods 5
# TYPE kubelet_runtime_operations_total counter
kubelet_runtime_operations_total{operation_type="create_container"} 40
kubelet_runtime_operations_total{operation_type="list_containers"} 1000
# TYPE kubelet_runtime_operations_errors_total counter
kubelet_runtime_operations_errors_total{operation_type="create_container"} 12
# TYPE kubelet_runtime_operations_duration_seconds histogram
kubelet_runtime_operations_duration_seconds_sum{operation_type="create_container"} 400
kubelet_runtime_operations_duration_seconds_count{operation_type="create_container"} 4
# TYPE kubelet_other gauge
kubelet_other{name="a\\b"} 1
`
)

func metrics(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Date", time.Unix(946684500, 0).UTC().Format(http.TimeFormat))
		_, _ = w.Write([]byte(s))
	}
}

// sick is a node whose runtime hangs, at the bubble's time, midnight of 2000-01-01 UTC.
func sick() server {
	ago := func(d time.Duration) metav1.Time { return metav1.NewTime(time.Now().Add(-d)) }
	long := ago(9 * time.Minute)
	stuck := func(name string, deleted *metav1.Time) corev1.Pod {
		return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: "u-a", CreationTimestamp: long, DeletionTimestamp: deleted},
			Status: corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}}}}}
	}
	grace := ago(-time.Minute)
	own := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "nodedoc-n1-0", CreationTimestamp: long, Labels: map[string]string{LabelName: AppName, LabelManagedBy: ManagedBy}}, Status: corev1.PodStatus{Phase: corev1.PodPending}}
	s := server{
		nodePath: object(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}, Status: corev1.NodeStatus{
			NodeInfo: corev1.NodeSystemInfo{ContainerRuntimeVersion: "containerd://1.6.20", BootID: "b", MachineID: "m"},
			Conditions: []corev1.NodeCondition{
				{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse},
				{Type: corev1.NodeReady, Status: corev1.ConditionFalse, LastTransitionTime: ago(5 * time.Minute), Reason: "KubeletNotReady", Message: "PLEG is not healthy: \x1b[2Jpleg was last seen active 8m0s ago"}}}}),
		podsPath: object(&corev1.PodList{Items: []corev1.Pod{stuck("a", nil), stuck("b", nil), stuck("old", &long), stuck("within-grace", &grace), own}}),
		"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1": object(&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{{Time: new(ago(90 * time.Second))}}}}),
		"/api/v1/namespaces/default/events": object(&corev1.EventList{Items: []corev1.Event{
			{LastTimestamp: ago(2 * time.Hour), Reason: "Old"}, {LastTimestamp: ago(time.Minute), Type: "Warning", Reason: "ContainerGCFailed", Message: "rpc error", Count: 5, FirstTimestamp: ago(time.Hour)}}}),
		"/api/v1/namespaces/shop/events": object(&corev1.EventList{Items: []corev1.Event{
			{InvolvedObject: corev1.ObjectReference{UID: "u-a"}, LastTimestamp: ago(40 * time.Second), Reason: "FailedCreatePodSandBox", Message: "DeadlineExceeded"}}}),
		proxyPath + "healthz": text("ok"), proxyPath + "runningpods/": hang, proxyPath + "stats/summary": hang,
		proxyPath + "metrics": metrics(plegMetrics), proxyPath + "configz": text(`{"kubeletconfig":{"cgroupDriver":"systemd","containerRuntimeEndpoint":"unix:///run/containerd/containerd.sock","maxPods":110}}`),
	}
	return s
}

func askVitals(t *testing.T, s server) *Vitals {
	t.Helper()
	return AskVitals(t.Context(), s.client(t), "n1")
}

func factsText(v *Vitals) string {
	var b strings.Builder
	for _, f := range v.Facts() {
		b.WriteString(f.Severity + " " + f.String() + "\n")
	}
	return b.String()
}

func TestVitalsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		v := askVitals(t, sick())
		if took := time.Since(start); took > vitalsPatience+parting {
			t.Errorf("it took %s", took)
		}
		got := factsText(v)
		for _, want := range []string{
			`critical API server: condition Ready is False for 5m: KubeletNotReady: PLEG is not healthy: \x1b[2Jpleg was last seen active 8m0s ago`,
			"critical API server: the kubelet renewed its lease 90s ago; after 40 s the node counts as dead",
			"kubelet, healthz: answers",
			"stats/summary: no answer within 3s",
			"critical kubelet, metrics: PLEG looked at all containers 8m20s ago, in 0.5 s on average; after 3m the node is not ready",
			"5 pods with a running sandbox, 7 running containers",
			"warning kubelet, metrics: since the kubelet started, 12 of 40 calls create_container of the runtime failed; they took 100 s on average",
			"waiting for their containers: 2 other pods, shop/a for 9m (ContainerCreating), shop/b for 9m (ContainerCreating)",
			"past their grace, and still there: 1 other pod, shop/old for 9m",
			"warning API server: pod shop/a: event 40s ago: FailedCreatePodSandBox: DeadlineExceeded",
			"warning API server: event 60s ago: ContainerGCFailed: rpc error (5 times since 60m ago)",
			"kubelet, configz: runtime at unix:///run/containerd/containerd.sock, cgroup driver systemd, 110 pods at most",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("%q is not said:\n%s", want, got)
			}
		}
		for _, no := range []string{"Old", "within-grace", "MemoryPressure", "\x1b", "list_containers", "nodedoc-n1-0"} {
			if strings.Contains(got, no) {
				t.Errorf("%q is said:\n%s", no, got)
			}
		}
		// What was saved tells the same later.
		b, err := json.Marshal(v)
		var again Vitals
		if err != nil || json.Unmarshal(b, &again) != nil || factsText(&again) != got {
			t.Errorf("after a round trip: %v\n%s", err, factsText(&again))
		}
	})
}

// A credential plugin that hangs heeds no context: nothing waits for it.
func TestVitalsOfAnAPIServerThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		defer close(never)
		s := sick()
		for path := range s {
			s[path] = func(http.ResponseWriter, *http.Request) { <-never }
		}
		v := askVitals(t, s)
		if v.StateError != "no answer within 3s" || v.Endpoints[0].State != Late {
			t.Errorf("got %+v", v)
		}
		if got, want := factsText(v), "critical API server: it answers nothing, so nothing is known of the node: no answer within 3s\n"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// Where the API server itself fails, nobody blames the kubelet; a single word of a
// working one's, a refusal too, and it is not the API server.
func TestAPIServerThatFails(t *testing.T) {
	const fails = "the API server is what fails: "
	refused := refuse(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"no","code":403}`)
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "etcdserver: leader changed", code) }
	}
	for name, c := range map[string]struct {
		all, node http.HandlerFunc
		want      string
	}{
		"late":                {hang, hang, fails + "no answer within 3s"},
		"without its store":   {status(500), status(500), fails},
		"behind a dead proxy": {status(503), status(502), fails},
		"it knows the node":   {hang, object(&corev1.Node{}), "the kubelet does not answer"},
		"it refuses":          {status(503), refused, "the kubelet does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := sick()
				for path := range s {
					s[path] = c.all
				}
				s[nodePath] = c.node
				v := askVitals(t, s)
				for _, own := range []*OwnPod{nil, {}} {
					if got := v.Verdict(own); !strings.HasPrefix(got, c.want) || strings.Contains(got, "\x1b") {
						t.Errorf("got %q, want %q", got, c.want)
					}
				}
				if facts := v.Facts(); strings.HasPrefix(c.want, fails) != (len(facts) == 1) {
					t.Errorf("got %v", facts)
				}
			})
		})
	}
}

// TestVitalsVerdict names what hangs, and nothing where it cannot be told.
func TestVitalsVerdict(t *testing.T) {
	answers, refused := text("{}"), func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }
	unreachable := func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "dial tcp: refused", http.StatusBadGateway)
	}
	forbidden := refuse("no")
	for name, c := range map[string]struct {
		healthz, pods, summary http.HandlerFunc
		notTaken, noSandbox    bool
		want                   string
	}{
		"runtime hangs":          {answers, hang, hang, false, false, "the runtime's daemon (containerd"},
		"kubelet is dead":        {unreachable, unreachable, unreachable, true, false, "the kubelet does not answer"},
		"kubelet hangs":          {hang, hang, hang, true, false, "the kubelet does not answer"},
		"no right to ask":        {forbidden, forbidden, forbidden, true, false, ""},
		"syncloop stands still":  {answers, answers, answers, true, false, "syncloop"},
		"runc hangs":             {answers, answers, answers, false, true, "runc, a shim or the network plugin"},
		"runc holds a shim up":   {answers, answers, hang, false, false, "runc, a shim or the network plugin"},
		"runningpods is off":     {answers, refused, hang, false, false, "daemon, a shim or runc"},
		"nothing is odd":         {answers, answers, answers, false, false, ""},
		"both fail at once":      {answers, refused, refused, false, false, ""},
		"the kubelet refuses it": {refuse("nodes \"n1\" is forbidden: subresource=metrics"), hang, hang, false, false, "the runtime's daemon (containerd"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := sick()
				s[proxyPath+"healthz"], s[proxyPath+"runningpods/"], s[proxyPath+"stats/summary"] = c.healthz, c.pods, c.summary
				delete(s, proxyPath+"metrics") // of themselves they are not enough
				got := askVitals(t, s).Verdict(&OwnPod{TakenUp: !c.notTaken, NoSandbox: c.noSandbox})
				if c.want == "" && got != "" || !strings.Contains(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

// TestVitalsVerdictAlone: where no pod was tried, what is late may be a slow node's.
func TestVitalsVerdictAlone(t *testing.T) {
	const now = 1000
	answers, late := func(name string) Endpoint { return Endpoint{Name: name, State: Answers} }, func(name string) Endpoint { return Endpoint{Name: name, State: Late} }
	state := func(ready string) *NodeState {
		return &NodeState{Conditions: []Condition{{Type: "Ready", Status: ready}}}
	}
	for name, c := range map[string]struct {
		v    Vitals
		want string
	}{
		"slow":           {Vitals{State: state("True"), Endpoints: []Endpoint{answers("healthz"), answers("runningpods"), late("stats/summary")}}, ""},
		"not ready":      {Vitals{State: state("False"), Endpoints: []Endpoint{answers("healthz"), answers("runningpods"), late("stats/summary")}}, "a shim or runc hangs"},
		"daemon":         {Vitals{State: state("True"), Endpoints: []Endpoint{answers("healthz"), late("runningpods"), late("stats/summary")}}, "the runtime's daemon (containerd"},
		"pods wait long": {Vitals{Time: now, Stuck: []StuckPod{{Since: now - 90, NoSandbox: true}}, Endpoints: []Endpoint{answers("healthz"), answers("runningpods")}}, "no container starts"},
		"pods wait":      {Vitals{Time: now, Stuck: []StuckPod{{Since: now - 30, NoSandbox: true}}, Endpoints: []Endpoint{answers("healthz"), answers("runningpods")}}, ""},
		"PLEG":           {Vitals{Metrics: &KubeletMetrics{Time: now, PLEGSeen: now - 200}, Endpoints: []Endpoint{answers("healthz")}}, "PLEG"},
		"slow kubelet":   {Vitals{Time: now, Lease: &Lease{Renewed: now - 9, DurationSeconds: 40}, Endpoints: []Endpoint{late("healthz")}}, "very slow"},
		"silent kubelet": {Vitals{Time: now, Lease: &Lease{Renewed: now - 30, DurationSeconds: 40}, Endpoints: []Endpoint{late("healthz")}}, "the kubelet does not answer"},
		"nothing asked":  {Vitals{Endpoints: []Endpoint{{Name: "healthz", State: Forbidden}}}, ""},
	} {
		if got := c.v.Verdict(nil); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// A kubelet may say anything.
func FuzzVitals(f *testing.F) {
	f.Add(plegMetrics, configz)
	f.Add("#\n#TYPE kubelet_runtime_operations_total counter\n{e=\"\"}\n", "{}") // trips the parser
	f.Add("kubelet_running_pods NaN\nkubelet_pleg_last_seen_seconds -1e300\n", `{"kubeletconfig":{"maxPods":-1}}`)
	f.Add("kubelet_runtime_operations_total 1\n# TYPE kubelet_running_pods histogram\n", "[]")
	f.Fuzz(func(t *testing.T, metrics, settings string) {
		v := &Vitals{Time: 1}
		for _, part := range []func() (func(), error){
			func() (func(), error) { return v.readMetrics([]byte(metrics), time.Unix(1, 0)) },
			func() (func(), error) { return v.readSettings([]byte(settings), time.Time{}) },
		} {
			if keep, err := part(); err == nil {
				keep()
			}
		}
		for _, f := range v.Facts() {
			if strings.ContainsAny(f.Text, "\x1b\n\u009b") {
				t.Errorf("got %q", f.Text)
			}
		}
	})
}
