package inventory

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func aNode(name, version, cpu string, ready corev1.ConditionStatus) corev1.Node {
	n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	n.Status.NodeInfo.KubeletVersion = version
	n.Status.Capacity = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}}
	return n
}

// Those like it come first, and of these the ones behind it by name; who does not answer
// is not asked.
func TestNeighbours(t *testing.T) {
	list := corev1.NodeList{Items: []corev1.Node{
		aNode("a", "v1.35.4", "48", corev1.ConditionTrue), aNode("b", "v1.35.4", "4", corev1.ConditionTrue), aNode("me", "v1.35.4", "48", corev1.ConditionFalse),
		aNode("n", "v1.34.0", "48", corev1.ConditionTrue), aNode("o", "v1.35.4", "48", corev1.ConditionTrue), aNode("sick", "v1.35.4", "48", corev1.ConditionUnknown),
	}}
	windows, virtual := aNode("w", "v1.35.4", "48", corev1.ConditionTrue), aNode("v", "v1.35.4", "48", corev1.ConditionTrue)
	windows.Status.NodeInfo.OperatingSystem, virtual.Labels = "windows", map[string]string{"type": "virtual-kubelet"}
	list.Items = append(list.Items, windows, virtual)
	for i := range 20 {
		list.Items = append(list.Items, aNode(fmt.Sprintf("x%02d", i), "v1.35.4", "8", corev1.ConditionTrue))
	}
	for range 2 {
		chosen, others, err := neighbours(t.Context(), server{"/api/v1/nodes": object(&list)}.client(t), "me")
		var names []string
		for _, s := range chosen {
			names = append(names, s.Node)
		}
		if want := []string{"o", "a", "n", "x00", "x01", "x02", "x03", "x04", "x05", "x06", "x07", "x08"}; err != nil || others != 24 || !slices.Equal(names, want) {
			t.Errorf("%v of %d, %v", names, others, err)
		}
		slices.Reverse(list.Items) // in whatever order the API server has them
	}
}

const someMetrics = `# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total %s
process_cpu_seconds_total{of="another"} 7
process_resident_memory_bytes 1.25e+08 1395066363000
process_open_fds 29
process_start_time_seconds 1.7e+09
go_goroutines 210
`

func TestMetrics(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want int
		fail bool
	}{
		"all":     {fmt.Sprintf(someMetrics, "12.5"), 5, false},
		"NaN":     {fmt.Sprintf(someMetrics, "NaN"), 5, false},
		"none":    {"up 1\n", 0, true},
		"broken":  {"process_open_fds\nprocess_open_fds x\n", 0, true},
		"no line": {strings.Repeat("x", 2<<20), 0, true},
		"others":  {"up{e=\"\"} 1 1 1\n{e=\"\"}\n" + fmt.Sprintf(someMetrics, "12.5"), 5, false},
		"no end":  {strings.TrimSuffix(fmt.Sprintf(someMetrics, "12.5"), "\n"), 0, true},
		"labels":  {"process_open_fds{" + strings.Repeat("a=\"\",", 1<<18) + "} 1\n", 0, true},
		"lines":   {strings.Repeat("process_open_fds 1\n", 1<<17), 0, true},
	} {
		if got, err := processMetrics([]byte(c.text)); (err != nil) != c.fail || len(got) != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func FuzzMetrics(f *testing.F) {
	f.Add(fmt.Sprintf(someMetrics, "1e400"), "process_cpu_seconds_total -1")
	f.Fuzz(func(t *testing.T, a, b string) {
		first, _ := processMetrics([]byte(a))
		second, _ := processMetrics([]byte(b))
		var s KubeletSelf
		s.set(kubeletMetrics{at: time.Unix(1, 0), values: first}, kubeletMetrics{at: time.Unix(3, 0), values: second})
		if s.CPUPercent != nil && *s.CPUPercent < 0 {
			t.Errorf("%v", *s.CPUPercent)
		}
	})
}

// kubelets is a cluster of three: n-2 may not be asked, n-3 hangs.
func kubelets(t *testing.T) server {
	t.Helper()
	list := corev1.NodeList{Items: []corev1.Node{aNode("n-1", "v1.35.4", "4", corev1.ConditionTrue), aNode("n-2", "v1.35.4", "4", corev1.ConditionTrue), aNode("n-3", "v1.35.4", "4", corev1.ConditionTrue), aNode("n-4", "v1.35.4", "4", corev1.ConditionTrue)}}
	used := func(perSecond float64) http.HandlerFunc {
		began := time.Now()
		return func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, someMetrics, fmt.Sprint(100+perSecond*time.Since(began).Seconds()))
		}
	}
	return server{
		"/api/v1/nodes":                         object(&list),
		"/api/v1/nodes/n-1/proxy/metrics":       used(20.22),
		"/api/v1/nodes/n-1/proxy/stats/summary": text(`{"node":{"systemContainers":[{"name":"runtime","cpu":{"usageNanoCores":250000000},"memory":{"rssBytes":1000}},{"name":"kubelet"}]}}`),
		"/api/v1/nodes/n-2/proxy/metrics":       refuse(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"no","code":403}`),
		"/api/v1/nodes/n-3/proxy/metrics":       hang,
		"/api/v1/nodes/n-4/proxy/metrics":       used(0.27),
		"/api/v1/nodes/n-1/proxy/logs/": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("query") != "kubelet" || r.URL.Query().Get("sinceTime") == "" {
				t.Errorf("asked for %s", r.URL)
			}
			_, _ = w.Write([]byte("<pre>\n<a href=\"pods/\">pods/</a>\n</pre>\n")) // NodeLogQuery is off
		},
		"/api/v1/nodes/n-1/proxy/logs/messages": func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.Header.Get("Range"), "bytes=-") {
				t.Errorf("asked for %v", r.Header)
			}
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write([]byte("Nov 22 06:35:56 n kubelet[4]: older\nNov 22 06:35:56 n cron[4]: other\nNov 22 06:35:57 n kubelet[4]: newer\x1b[2J\n"))
		},
		"/api/v1/nodes/n-1/proxy/debug/pprof/profile": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("for " + r.URL.Query().Get("seconds")))
		},
	}
}

func TestAskKubelets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := askKubelets(t.Context(), kubelets(t).client(t), "n-1", KubeletQuestions{Interval: 3 * time.Second, Profile: 10 * time.Second, Log: true, Since: time.Hour})
		own := k.Own
		if own.Error != "" || own.CPUPercent == nil || *own.CPUPercent < 2021 || *own.CPUPercent > 2023 || own.SampleMillis != 3000 || *own.RSSBytes != 125_000_000 || *own.OpenFDs != 29 {
			t.Errorf("own: %+v", own)
		}
		if own.Runtime == nil || *own.Runtime.CPUPercent != 25 || *own.Runtime.RSSBytes != 1000 {
			t.Errorf("runtime: %+v", own.Runtime)
		}
		if k.Others != 3 || len(k.Neighbours) != 3 {
			t.Fatalf("%+v", k.Neighbours)
		}
		if n := k.Neighbours[0]; n.Node != "n-2" || !strings.Contains(n.Error, "the right to get nodes/proxy is missing") {
			t.Errorf("%+v", n)
		}
		if n := k.Neighbours[1]; n.Node != "n-3" || n.Error != "no answer within 11s" {
			t.Errorf("%+v", n)
		}
		if n := k.Neighbours[2]; n.Node != "n-4" || n.CPUPercent == nil || *n.CPUPercent < 26.9 || *n.CPUPercent > 27.1 || n.Runtime != nil {
			t.Errorf("%+v", n)
		}
		if l := k.Log; l == nil || l.Path != "/var/log/messages" || len(l.Lines) != 2 || !strings.HasSuffix(l.Lines[0], `newer\x1b[2J`) || l.Asked-l.Since != 3600 {
			t.Errorf("log: %+v, %s", l, k.LogError)
		}
		if string(k.Profile) != "for 10" || k.ProfileSeconds != 10 {
			t.Errorf("profile: %q, %s", k.Profile, k.ProfileError)
		}
	})
}

// What a kubelet does not have, or must not tell, is said in its place.
func TestAskKubeletsThatSayNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server{"/api/v1/nodes/n-1/proxy/debug/pprof/profile": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "profiling endpoint is disabled.", http.StatusMethodNotAllowed)
		}}
		k := askKubelets(t.Context(), s.client(t), "n-1", KubeletQuestions{Interval: time.Second, Profile: time.Second, Log: true, Since: time.Hour})
		if k.Own.Error == "" || k.NeighboursError == "" || k.LogError != errNoLog.Error() || !strings.Contains(k.ProfileError, "enableDebuggingHandlers") || k.Profile != nil {
			t.Errorf("%+v, own %+v", k, k.Own)
		}
	})
}

// A restart in between makes no CPU of two processes.
func TestKubeletRestarted(t *testing.T) {
	first, err := processMetrics([]byte(fmt.Sprintf(someMetrics, "10")))
	if err != nil {
		t.Fatal(err)
	}
	second, err := processMetrics([]byte(strings.Replace(fmt.Sprintf(someMetrics, "20"), "1.7e+09", "1.8e+09", 1)))
	if err != nil {
		t.Fatal(err)
	}
	var s KubeletSelf
	if s.set(kubeletMetrics{at: time.Unix(1, 0), values: first}, kubeletMetrics{at: time.Unix(3, 0), values: second}); s.CPUPercent != nil || s.RSSBytes == nil {
		t.Errorf("%+v", s)
	}
}
