//go:build linux

package probe

import (
	"os"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// memInfo reads /proc/meminfo.
func memInfo(proc *hostfs.Proc, bad unreadable) (info report.MemInfo) {
	b, err := proc.Read("meminfo")
	if err != nil {
		bad.add("/proc/meminfo", err)
		return info
	}
	// In the order of names: a map of both costs the probe a kilobyte.
	names := strings.Fields(memInfoNames)
	fields := []**uint64{
		&info.Total, &info.Free, &info.Available, &info.Buffers, &info.Cached, &info.SwapCached,
		&info.ActiveAnon, &info.InactiveAnon, &info.ActiveFile, &info.InactiveFile,
		&info.Unevictable, &info.Mlocked, &info.SwapTotal, &info.SwapFree, &info.Dirty, &info.Writeback,
		&info.AnonPages, &info.Mapped, &info.Shmem, &info.Slab, &info.SReclaimable, &info.SUnreclaim,
		&info.KernelStack, &info.PageTables, &info.VmallocUsed, &info.Percpu, &info.AnonHugePages,
		&info.Hugetlb, &info.CommitLimit, &info.CommittedAS,
	}
	hostfs.EachAmount(b, func(name []byte, n uint64) {
		for i := range names {
			if names[i] == string(name) {
				*fields[i] = &n
			}
		}
	})
	if info.Total == nil {
		bad.add("/proc/meminfo", errTorn)
	}
	return info
}

const memInfoNames = `MemTotal MemFree MemAvailable Buffers Cached SwapCached
	Active(anon) Inactive(anon) Active(file) Inactive(file)
	Unevictable Mlocked SwapTotal SwapFree Dirty Writeback
	AnonPages Mapped Shmem Slab SReclaimable SUnreclaim
	KernelStack PageTables VmallocUsed Percpu AnonHugePages
	Hugetlb CommitLimit Committed_AS`

func pageSize() uint64 { return uint64(os.Getpagesize()) }
