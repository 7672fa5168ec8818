package hostfs

import (
	"path"
	"slices"
	"strings"
)

// HugePages are the pools of /sys/kernel/mm/hugepages (Documentation/admin-guide/
// mm/hugetlbpage.rst), one directory for each size:
//
//	hugepages-2048kB/{nr,free,resv,surplus}_hugepages
type HugePages struct {
	PageBytes                      uint64
	Pages, Free, Reserved, Surplus uint64
}

// maxHugePageSizes: amd64 has two, arm64 four.
const maxHugePageSizes = 16

// HugePages reads all pools. A kernel without hugetlb has no such directory.
func (s *Sys) HugePages() (pools []HugePages, err error) {
	const dir = "kernel/mm/hugepages"
	names, err := s.Names(dir, maxHugePageSizes)
	slices.Sort(names)
	for _, name := range names {
		size, ok := parseHugePageSize(name)
		if !ok {
			continue
		}
		var n [4]uint64
		for i, file := range []string{"nr", "free", "resv", "surplus"} {
			if n[i], err = s.number(path.Join(dir, name, file+"_hugepages")); err != nil {
				return pools, err
			}
		}
		pools = append(pools, HugePages{size, n[0], n[1], n[2], n[3]})
	}
	return pools, err
}

func parseHugePageSize(name string) (bytes uint64, ok bool) {
	n, unit, ok := cutNumber([]byte(strings.TrimPrefix(name, "hugepages-")))
	return n << 10, ok && string(unit) == "kB" && n < 1<<44
}
