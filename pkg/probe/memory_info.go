//go:build linux

package probe

import (
	"os"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// memInfo reads /proc/meminfo.
func memInfo(proc *hostfs.Proc, bad unreadable) (info report.MemInfo) {
	amounts, err := readMemInfo(proc)
	if err != nil {
		bad.add("/proc/meminfo", err)
		return info
	}
	for name, to := range map[string]**uint64{
		"MemTotal": &info.Total, "MemFree": &info.Free, "MemAvailable": &info.Available,
		"Buffers": &info.Buffers, "Cached": &info.Cached, "SwapCached": &info.SwapCached,
		"Active(anon)": &info.ActiveAnon, "Inactive(anon)": &info.InactiveAnon,
		"Active(file)": &info.ActiveFile, "Inactive(file)": &info.InactiveFile,
		"Unevictable": &info.Unevictable, "Mlocked": &info.Mlocked,
		"SwapTotal": &info.SwapTotal, "SwapFree": &info.SwapFree, "Dirty": &info.Dirty, "Writeback": &info.Writeback,
		"AnonPages": &info.AnonPages, "Mapped": &info.Mapped, "Shmem": &info.Shmem,
		"Slab": &info.Slab, "SReclaimable": &info.SReclaimable, "SUnreclaim": &info.SUnreclaim,
		"KernelStack": &info.KernelStack, "PageTables": &info.PageTables, "VmallocUsed": &info.VmallocUsed,
		"Percpu": &info.Percpu, "AnonHugePages": &info.AnonHugePages, "Hugetlb": &info.Hugetlb,
		"CommitLimit": &info.CommitLimit, "Committed_AS": &info.CommittedAS,
	} {
		*to = amounts[name]
	}
	if info.Total == nil {
		bad.add("/proc/meminfo", errTorn)
	}
	return info
}

// readMemInfo gives the lines of /proc/meminfo by name, in bytes.
func readMemInfo(proc *hostfs.Proc) (map[string]*uint64, error) {
	b, err := proc.Read("meminfo")
	if err != nil {
		return nil, err
	}
	amounts := map[string]*uint64{}
	hostfs.EachAmount(b, func(name []byte, n uint64) { amounts[string(name)] = &n })
	return amounts, nil
}

// memTotal is 0 where the node does not say.
func memTotal(proc *hostfs.Proc) uint64 {
	amounts, err := readMemInfo(proc)
	if err != nil || amounts["MemTotal"] == nil {
		return 0
	}
	return *amounts["MemTotal"]
}

func pageSize() uint64 { return uint64(os.Getpagesize()) }
