package debugpod

import (
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/version"
)

// serverVersion decides which form of a field the API server knows.
type serverVersion struct{ major, minor int }

// parseServerVersion reads e.g. {"1", "27+"}, as managed clusters have it.
func parseServerVersion(v *version.Info) serverVersion {
	number := func(s string) int {
		n, _ := strconv.Atoi(strings.TrimRight(s, "+"))
		return n
	}
	return serverVersion{number(v.Major), number(v.Minor)}
}

func (v serverVersion) atLeast(major, minor int) bool {
	return v.major > major || v.major == major && v.minor >= minor
}
