package hostfs

import (
	"path"
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
	for _, name := range names {
		size, ok := parseHugePageSize(name)
		if !ok {
			continue
		}
		p := HugePages{PageBytes: size}
		for file, to := range map[string]*uint64{"nr": &p.Pages, "free": &p.Free, "resv": &p.Reserved, "surplus": &p.Surplus} {
			n, failed := s.number(path.Join(dir, name, file+"_hugepages"))
			if failed != nil {
				err = failed
			}
			*to = n
		}
		pools = append(pools, p)
	}
	return pools, err
}

func parseHugePageSize(name string) (bytes uint64, ok bool) {
	n, unit, ok := cutNumber([]byte(strings.TrimPrefix(name, "hugepages-")))
	return n << 10, ok && string(unit) == "kB" && n < 1<<44
}
