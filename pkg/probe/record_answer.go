//go:build linux

package probe

import (
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// stage is where a recording stands when it is told. The first answer has no
// samples, so that a log with it alone is known for what it is.
type stage int

const (
	begun stage = iota
	goesOn
	over
)

// frame is the recording so far, or why there is none.
func (rec *recorder) frame(at stage) report.Frame {
	r, err := rec.told(at)
	if err == nil {
		var packed []byte
		if packed, err = report.EncodeReport(r); err == nil {
			return report.Frame{Type: report.FrameReport, Payload: packed}
		}
	}
	return report.Frame{Type: report.FrameError, Payload: []byte(err.Error())}
}

func (rec *recorder) told(at stage) (*report.NodeReport, error) {
	out := rec.limits
	if at != begun {
		var err error
		if out.Samples, err = report.PackSamples(rec.samples); err != nil {
			return nil, err
		}
	}
	out.StartMillis, out.NowMillis = rec.start.UnixMilli(), time.Now().UnixMilli()
	out.ForSeconds, out.EveryMillis = rec.asked.ForSeconds, rec.asked.EveryMillis
	out.Ended = at == over
	out.Missed, out.LastMiss, out.Thinned = rec.missed, rec.lastMiss, rec.thinned
	out.CPUMillis = cpuTime().Milliseconds()
	node := rec.node
	node.Now = time.Now().Unix()
	if b, err := rec.look.Read("uptime"); err == nil {
		node.Uptime = hostfs.ParseUptime(b)
		out.UptimeMillis = int64(node.Uptime * 1000)
	}
	if b, err := rec.look.Read("self/statm"); err == nil {
		pages, _ := hostfs.ParseResidentPages(b)
		out.ResidentBytes = pages * pageSize()
	}
	for i, raw := range rec.raw {
		if rec.summed[raw] {
			out.FromProcesses = append(out.FromProcesses, i)
		}
	}
	return &report.NodeReport{
		APIVersion: report.APIVersion, Kind: report.Kind,
		Probe:      report.Probe{Version: rec.version, PID: ownPID(rec.fs), Root: rec.fs.Root},
		Node:       node,
		Processes:  &report.Processes{Total: int(rec.last.Totals[report.TotalProcesses]), List: rec.processes, Cgroups: rec.cgroups},
		Containers: &report.Containers{List: rec.containers.list, Pods: rec.containers.pods},
		OOM:        &report.OOM{Kills: rec.oom.kills},
		Recording:  &out,
	}, nil
}
