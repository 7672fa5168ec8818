package correlate

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// A quantity of somebody on the node: "1e999999999" would be computed for long.
var plainQuantity = regexp.MustCompile(`^[0-9.]{1,20}(?:[numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?$`)

// thresholdBytes resolves a threshold as the kubelet does: a share of capacity in
// float32, 0% and 100% being none (parseThresholdStatement of pkg/kubelet/eviction).
func thresholdBytes(written string, capacity uint64) (uint64, bool) {
	share, percent := strings.CutSuffix(written, "%")
	if !percent {
		return quantityBytes(written)
	}
	value, err := strconv.ParseFloat(share, 32)
	if err != nil || written == "0%" || written == "100%" || value < 0 || value > 100 {
		return 0, false
	}
	return uint64(float64(capacity) * float64(float32(value)/100)), true
}

// quantityBytes reads a quantity, "500Mi".
func quantityBytes(written string) (uint64, bool) {
	if !plainQuantity.MatchString(written) {
		return 0, false
	}
	q, err := resource.ParseQuantity(written)
	if err != nil || q.Sign() <= 0 {
		return 0, false
	}
	return uint64(q.Value()), true
}

func gracePeriod(written string) float64 {
	d, err := time.ParseDuration(written)
	if err != nil {
		return 0
	}
	return d.Seconds()
}

// maxBytes is more than any node has: sums of what a report claims stay numbers.
const maxBytes = 1 << 56

// amount is a counter, 0 where there is none.
func amount(n *uint64) int64 {
	if n == nil {
		return 0
	}
	return int64(min(*n, maxBytes))
}

func notNegative(n int64) uint64 { return uint64(max(n, 0)) }

// hugePagesOf are all of hugetlb's pools: a line of meminfo since 4.16.
func hugePagesOf(m *report.Memory) int64 {
	if m.Info.Hugetlb != nil {
		return amount(m.Info.Hugetlb)
	}
	sum := uint64(0)
	for _, p := range m.HugePages {
		sum = min(sum+min(p.PageBytes, 1<<34)*min(p.Pages, 1<<28), maxBytes)
	}
	return int64(sum)
}
