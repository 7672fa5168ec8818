package hostfs

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseFileNr parses /proc/sys/fs/file-nr (Documentation/admin-guide/sysctl/fs.rst):
//
//	allocated  free(always 0 since 2.6)  maximum
//
// allocated counts open file descriptions, the maximum is fs.file-max.
func ParseFileNr(b []byte) (allocated, limit uint64, err error) {
	f := strings.Fields(string(b))
	if len(f) != 3 {
		return 0, 0, fmt.Errorf("file-nr has %d fields, want 3", len(f))
	}
	if allocated, err = strconv.ParseUint(f[0], 10, 64); err != nil {
		return 0, 0, fmt.Errorf("file-nr: %w", err)
	}
	if limit, err = strconv.ParseUint(f[2], 10, 64); err != nil {
		return 0, 0, fmt.Errorf("file-nr: %w", err)
	}
	return allocated, limit, nil
}
