package correlate

import (
	"math"
	"testing"
)

func TestSize(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 B", 999: "999 B", 1000: "1 KiB", 1 << 10: "1 KiB", 1<<20 + 1<<19: "1.5 MiB", 999 << 20: "999 MiB", 1000 << 20: "1 GiB",
		17*(1<<30) + 900<<20: "17.9 GiB", 1023 << 10: "1 MiB", 99<<30 + 1000<<20: "100 GiB", math.MaxUint64: "16 EiB"} {
		if got := Size(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}
