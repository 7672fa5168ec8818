package inventory

import (
	"cmp"
	"maps"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// maxOperations are kept: the CRI has some 30 calls.
const maxOperations = 100

// readMetrics of the kubelet: text format, pkg/kubelet/metrics/metrics.go. Before 1.20
// some have other names, and are not told.
func (v *Vitals) readMetrics(body []byte, date time.Time) (func(), error) {
	all, err := metricFamilies(body, "kubelet_pleg_", "kubelet_running_", "kubelet_runtime_operations_")
	if err != nil {
		return nil, err
	}
	m := &KubeletMetrics{Time: unixOf(date), PLEGSeen: int64(value(all["kubelet_pleg_last_seen_seconds"])),
		PLEGSeconds: meanOf(first(all["kubelet_pleg_relist_duration_seconds"])),
		RunningPods: count(all["kubelet_running_pods"], ""), RunningContainers: count(all["kubelet_running_containers"], "running"),
		Operations: operations(all)}
	return func() { v.Metrics = m }, nil
}

// operations are in the order of their names.
func operations(all map[string]*dto.MetricFamily) []RuntimeOperation {
	by := map[string]*RuntimeOperation{}
	at := func(m *dto.Metric) *RuntimeOperation {
		name := report.Escape(label(m, "operation_type"))
		if by[name] == nil && len(by) < maxOperations {
			by[name] = &RuntimeOperation{Name: name}
		}
		return cmp.Or(by[name], &RuntimeOperation{})
	}
	for _, m := range all["kubelet_runtime_operations_total"].GetMetric() {
		at(m).Count = uint64(m.GetCounter().GetValue())
	}
	for _, m := range all["kubelet_runtime_operations_errors_total"].GetMetric() {
		at(m).Errors = uint64(m.GetCounter().GetValue())
	}
	for _, m := range all["kubelet_runtime_operations_duration_seconds"].GetMetric() {
		at(m).MeanSeconds = meanOf(m)
	}
	list := make([]RuntimeOperation, 0, len(by))
	for _, name := range slices.Sorted(maps.Keys(by)) {
		list = append(list, *by[name])
	}
	return list
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

func first(f *dto.MetricFamily) *dto.Metric {
	if all := f.GetMetric(); len(all) > 0 {
		return all[0]
	}
	return nil
}

func value(f *dto.MetricFamily) float64 { return first(f).GetGauge().GetValue() }

func meanOf(m *dto.Metric) float64 {
	h := m.GetHistogram()
	if h.GetSampleCount() == 0 {
		return 0
	}
	return h.GetSampleSum() / float64(h.GetSampleCount())
}

// count is a gauge's, of one state of containers where a state is given; nil: not told.
func count(f *dto.MetricFamily, state string) *int {
	if f == nil {
		return nil
	}
	n := 0
	for _, m := range f.GetMetric() {
		if label(m, "container_state") == state {
			n += int(m.GetGauge().GetValue())
		}
	}
	return &n
}
