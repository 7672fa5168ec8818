package inventory

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	stats "k8s.io/kubelet/pkg/apis/stats/v1alpha1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// proxied gets a path of the kubelet through the API server's proxy, of most bytes.
func proxied(ctx context.Context, client kubernetes.Interface, node string, most int, params map[string]string, path ...string) ([]byte, error) {
	r := client.CoreV1().RESTClient().Get().Resource("nodes").Name(node).SubResource(append([]string{"proxy"}, path...)...)
	for key, value := range params {
		r.Param(key, value)
	}
	return readAnswer(ctx, r, most)
}

func readAnswer(ctx context.Context, r *rest.Request, most int) ([]byte, error) {
	body, err := r.Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, int64(most)+1))
	if err == nil && len(b) > most {
		err = errors.New("the kubelet's answer is too large")
	}
	return b, err
}

// ask looks at a kubelet's metrics twice, and at the runtime beside it.
func (s *KubeletSelf) ask(ctx context.Context, client kubernetes.Interface, interval time.Duration) error {
	first, err := askMetrics(ctx, client, s.Node)
	if err != nil {
		return err
	}
	began := time.Now()
	s.askRuntime(ctx, client)
	t := time.NewTimer(max(interval-time.Since(began), 0))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	second, err := askMetrics(ctx, client, s.Node)
	if err != nil {
		return err
	}
	s.set(first, second)
	return nil
}

// set computes what a kubelet uses; one that has been restarted in between has no CPU.
func (s *KubeletSelf) set(first, second kubeletMetrics) {
	s.RSSBytes, s.OpenFDs, s.Goroutines = second.count("process_resident_memory_bytes"), second.count("process_open_fds"), second.count("go_goroutines")
	const counter, started = "process_cpu_seconds_total", "process_start_time_seconds"
	before, had := first.values[counter]
	after, has := second.values[counter]
	took := second.at.Sub(first.at)
	if had && has && after >= before && took > 0 && first.values[started] == second.values[started] {
		percent := (after - before) / took.Seconds() * 100
		s.CPUPercent, s.SampleMillis = &percent, took.Milliseconds()
	}
}

// kubeletMetrics are those of a process, at one moment: half way between question and answer.
type kubeletMetrics struct {
	at     time.Time
	values map[string]float64
}

func (m kubeletMetrics) count(name string) *uint64 {
	v, ok := m.values[name]
	if !ok || v < 0 || v > 1<<62 || math.IsNaN(v) {
		return nil
	}
	n := uint64(v)
	return &n
}

func askMetrics(ctx context.Context, client kubernetes.Interface, node string) (kubeletMetrics, error) {
	began := time.Now()
	body, err := proxied(ctx, client, node, maxVital, nil, "metrics")
	if err != nil {
		return kubeletMetrics{}, err
	}
	m := kubeletMetrics{at: began.Add(time.Since(began) / 2)}
	m.values, err = processMetrics(body)
	return m, err
}

// processMetrics are those that tell of the kubelet's process itself; they have no labels.
func processMetrics(body []byte) (map[string]float64, error) {
	all, err := metricFamilies(body, "process_", "go_goroutines")
	if err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for name, f := range all {
		for _, m := range f.GetMetric() {
			if len(m.GetLabel()) == 0 {
				values[name] = cmp.Or(m.GetCounter().GetValue(), m.GetGauge().GetValue(), m.GetUntyped().GetValue())
			}
		}
	}
	if len(values) == 0 {
		return nil, errors.New("the kubelet's metrics say nothing of its process")
	}
	return values, nil
}

// askRuntime asks for the runtime's cgroup, of which only some kubelets know. What a
// kubelet does not say here is no error.
func (s *KubeletSelf) askRuntime(ctx context.Context, client kubernetes.Interface) {
	b, err := proxied(ctx, client, s.Node, maxKubeletAnswer, map[string]string{"only_cpu_and_memory": "true"}, "stats", "summary")
	if err != nil {
		return
	}
	var all stats.Summary
	if report.UnmarshalUntrusted(b, &all) != nil {
		return
	}
	for i := range all.Node.SystemContainers {
		c := &all.Node.SystemContainers[i]
		if c.Name != stats.SystemContainerRuntime {
			continue
		}
		s.Runtime = &SystemContainer{}
		if c.CPU != nil && c.CPU.UsageNanoCores != nil {
			percent := float64(*c.CPU.UsageNanoCores) / 1e7
			s.Runtime.CPUPercent = &percent
		}
		if c.Memory != nil {
			s.Runtime.RSSBytes = c.Memory.RSSBytes
		}
	}
}
