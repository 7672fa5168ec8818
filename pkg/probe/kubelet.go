//go:build linux

package probe

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// A sample of the kubelet's CPU takes as long as that of descriptors, and long
// enough for the kernel's ticks of 10 ms.
const shortestSample, longestSample = 500 * time.Millisecond, 5 * time.Second

func kubeletSample(req report.Request) time.Duration {
	return min(max(interval(req), shortestSample), longestSample)
}

var (
	errNoKubelet   = errors.New("none among the host's processes")
	errNoProcesses = errors.New("the process table is not known")
	errRestarted   = errors.New("it ended during the sample")
)

// findKubelet finds it, and looks for the first time: what others read meanwhile
// takes the sample's time.
func findKubelet(_ context.Context, r run) (publish, error) {
	if r.report.Processes == nil {
		return nil, errNoProcesses
	}
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	k := &kubelet{run: r, proc: proc, bad: unreadable{}}
	if !k.find() {
		return nil, errNoKubelet
	}
	k.findDaemons()
	return func(r *run) { r.kubelet = k }, nil
}

func collectKubelet(ctx context.Context, r run) (publish, error) {
	if r.kubelet == nil { // said already
		return nil, nil //nolint:nilnil // nothing to publish
	}
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	k := *r.kubelet
	k.run, k.proc = r, proc
	k.configure()
	if err := k.sample(ctx); err != nil {
		return nil, err
	}
	k.out.Unreadable = k.bad.list()
	return func(r *run) { r.report.Kubelet = &k.out }, nil
}

type kubelet struct {
	run
	proc *hostfs.Proc
	bad  unreadable
	out  report.Kubelet
	// found is its command line.
	found hostfs.KubeletArgs
	// daemons are the kubelet and the runtimes' daemons.
	daemons []daemon
}

// find takes the kubelet of the host. A node may have others, of nodes that run
// in its containers (kind), in mount namespaces and cgroups of their own.
func (k *kubelet) find() bool {
	host, err := k.proc.Readlink(rootPID(k.fs), "ns/mnt")
	if err != nil {
		k.bad.add("/proc/PID/ns/mnt", err)
	}
	best := -1
	for i := range k.report.Processes.List {
		p := &k.report.Processes.List[i]
		if p.Kernel || p.State == "Z" || !hostfs.MayBeKubelet(p.Comm) || k.contained(p, false) {
			continue
		}
		args, ok := k.args(p)
		if !ok {
			continue
		}
		rank := 0
		if ns, err := k.proc.Readlink(p.PID, "ns/mnt"); err == nil && ns == host {
			rank += 2
		}
		if !k.contained(p, true) {
			rank++
		}
		if rank > best {
			best = rank
			k.found, k.out = args, report.Kubelet{PID: p.PID, RootDir: report.Escape(args.RootDir)}
		}
	}
	return best >= 0
}

// contained: its cgroup is a pod's or, of any container, one with an id or LXC's; unknown
// counts as a pod's, since a name proves nothing there.
func (k *kubelet) contained(p *report.Process, anyContainer bool) bool {
	if p.Cgroup < 0 || p.Cgroup >= len(k.report.Processes.Cgroups) {
		return true
	}
	for _, e := range k.report.Processes.Cgroups[p.Cgroup].Entries {
		if system, _ := report.SystemContainer(e.Path); inPod(e) || strings.Contains(e.Path, "kubepods") || anyContainer && (system != "" || hostfs.HasContainerID(e.Path)) {
			return true
		}
	}
	return false
}

// args reads the whole command line: that of the process table is redacted, and
// cut.
func (k *kubelet) args(p *report.Process) (hostfs.KubeletArgs, bool) {
	b, err := k.proc.ReadPID(p.PID, "cmdline")
	if err != nil {
		if !hostfs.Gone(err) {
			k.bad.add("/proc/PID/cmdline", err)
		}
		return hostfs.KubeletArgs{}, false
	}
	args, ok := hostfs.ParseKubelet(p.Comm, hostfs.Args(b))
	if !ok || args.File == "" {
		return args, ok
	}
	root, err := hostfs.OpenRoot(k.fs, rootMounts(k.fs, k.bad))
	if err != nil {
		k.bad.add("/", err)
		return args, ok
	}
	defer root.Close()
	k.addFiles(root, &args, p)
	return args, ok
}

// sample looks again, to see how much CPU it and the runtimes' daemons have had.
func (k *kubelet) sample(ctx context.Context) error {
	own := k.daemons[0]
	if own.failed != nil {
		k.bad.add("/proc/PID/stat", own.failed)
		return nil //nolint:nilerr // the rest is told without
	}
	if err := sleep(ctx, kubeletSample(k.req)-time.Since(own.at)); err != nil {
		return err
	}
	k.sampleDaemons()
	own = k.daemons[0]
	k.out.CPUPercent, k.out.SampleMillis, k.out.RSSBytes = own.out.CPUPercent, own.out.SampleMillis, own.out.RSSBytes
	return nil
}
