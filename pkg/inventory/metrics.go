package inventory

import (
	"bytes"
	"fmt"
	"slices"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const (
	// maxMetricLine bounds a line, in bytes: for a line's labels the library takes time as
	// the square of their number.
	maxMetricLine = 1 << 10
	// maxMetricLines bounds all that are parsed; a kubelet's are some ten kilobytes.
	maxMetricLines = 1 << 20
)

// metricFamilies parses those of a kubelet's metrics whose names begin with one of names;
// they are few of its thousands of lines. HELP is left out. A node may have made up all of
// it, and the library panics over some text, such as labels without a name.
func metricFamilies(body []byte, names ...string) (all map[string]*dto.MetricFamily, err error) {
	defer func() {
		if tripped := recover(); tripped != nil {
			all, err = nil, fmt.Errorf("failed to parse the kubelet's metrics: %v", tripped)
		}
	}()
	var kept bytes.Buffer
	for line := range bytes.Lines(body) {
		name := bytes.TrimPrefix(line, []byte("# TYPE "))
		if !slices.ContainsFunc(names, func(n string) bool { return bytes.HasPrefix(name, []byte(n)) }) {
			continue
		}
		if kept.Write(line); len(line) > maxMetricLine || kept.Len() > maxMetricLines {
			return nil, fmt.Errorf("the kubelet's metrics are too long: %.40q", line)
		}
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	return parser.TextToMetricFamilies(&kept)
}
