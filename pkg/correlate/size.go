package correlate

import (
	"fmt"
	"strings"
)

// Size is a number of bytes as all texts and tables have it, of three digits or so:
// "17.9 GiB", "2 GiB", "402 MiB".
func Size(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	value, unit := float64(n), 0
	for ; value >= 1000 && unit < len(units)-1; unit++ {
		value /= 1024
	}
	if unit == 0 || value >= 99.95 {
		return fmt.Sprintf("%.0f %s", value, units[unit])
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0") + " " + units[unit]
}
