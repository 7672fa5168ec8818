//go:build linux

// Package probe is the node side: an ordered list of collectors that fill one
// report, and the session that asks for it.
package probe

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// run is what one collection shares between its collectors. A collector reads
// what earlier ones have published and changes nothing of it.
type run struct {
	fs  hostfs.FS
	req report.Request
	// report holds what has been published so far.
	report *report.NodeReport
	// first are the descriptor counts at the first sample.
	first *fdSample
	// memoryFirst is the memory at the first sample, memorySamples are totals that
	// were taken after it.
	memoryFirst   *memoryFirst
	memorySamples []report.MemorySample
	// dirs are the runtimes' directories that the process table tells of.
	dirs stateDirs
	// kubelet was found and looked at once; nil: it was not.
	kubelet *kubelet
	// kernelThreads are all of them, by pid.
	kernelThreads []kernelThread
	// mountIDs are those of every namespace; nil where not all were read.
	mountIDs mountIDs
	// silence is what does not answer, see patience.go.
	silence *hostfs.Silence
}

// publish puts a collector's finished section in place. A collector that
// overruns its deadline may be stuck in the kernel for good: it never gets to
// publish, so nothing it still does can touch the report.
type publish func(*run)

type collector struct {
	name     string
	deadline time.Duration
	collect  func(context.Context, run) (publish, error)
}

// collectors run in this order: the first descriptor count comes early and the
// process table after the sampling interval, next to the second count.
func collectors(req report.Request) []collector {
	all := []collector{
		{"node", 5 * time.Second, collectNode},
		{report.CollectMemory, 15*time.Second + interval(req), sampleMemory},
		{report.CollectOpenFiles, 5*time.Second + interval(req), collectOpenFiles},
		{report.CollectProcesses, 60 * time.Second, collectProcesses},
		{report.CollectMemory, 30 * time.Second, collectMemory},
		{report.CollectMemory, 15 * time.Second, collectLargest},
		{report.CollectKubelet, 5 * time.Second, findKubelet},
		{report.CollectTasks, 30*time.Second + lookInterval(req), collectTasks},
		{report.CollectPipes, 60*time.Second + lookInterval(req), collectPipes},
		{report.CollectContainers, 15 * time.Second, collectContainers},
		{report.CollectRuntime, 20 * time.Second, collectRuntime},
		{report.CollectMounts, 30 * time.Second, collectMounts},
		{report.CollectDevices, 15 * time.Second, collectDevices},
		{report.CollectBackground, 15 * time.Second, collectBackground},
		{report.CollectFound, 30 * time.Second, collectFound},
		{report.CollectOOM, 5 * time.Second, collectOOM},
		{report.CollectLogs, 15 * time.Second, collectLogs},
		{report.CollectKubelet, 5*time.Second + kubeletSample(req), collectKubelet},
	}
	wanted := all[:1]
	for _, c := range all[1:] {
		if slices.Contains(req.Collect, c.name) {
			wanted = append(wanted, c)
		}
	}
	return wanted
}

func interval(req report.Request) time.Duration {
	return time.Duration(req.IntervalMillis) * time.Millisecond
}

// Collect answers one request. What could not be read is said in the report;
// it fails only by ctx.
func Collect(ctx context.Context, fs hostfs.FS, version string, req report.Request) (*report.NodeReport, error) {
	return collectBeside(ctx, fs, version, req, hostfs.NewSilence())
}

func collectBeside(ctx context.Context, fs hostfs.FS, version string, req report.Request, silence *hostfs.Silence) (*report.NodeReport, error) {
	start := time.Now()
	r := run{fs: fs, req: req, silence: silence, report: &report.NodeReport{
		APIVersion: report.APIVersion, Kind: report.Kind,
		Probe: report.Probe{Version: version, PID: ownPID(fs), Root: fs.Root},
	}}
	for _, c := range collectors(req) {
		if err := c.runInto(ctx, &r); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			r.report.Probe.Failed = append(r.report.Probe.Failed, report.Unreadable{What: c.name, Cause: err.Error()})
		}
	}
	r.report.Probe.TookMillis = time.Since(start).Milliseconds()
	return r.report, nil
}

func (c collector) runInto(ctx context.Context, r *run) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.deadline, fmt.Errorf("gave up after %s", c.deadline))
	defer cancel()
	for range maxAttempts {
		res, ok := c.attempt(ctx, *r)
		if !ok {
			findSilent(ctx, r.fs, r.silence)
			continue
		}
		if res.publish != nil {
			res.publish(r)
		}
		return res.err
	}
	return errStuck
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
