//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// recorder: what a sample costs on a node with many processes, and how much memory
// recording takes, beside programs that show as much once.
func (b *bench) recorder() error {
	processes, each, lasts := 2000, 102, 20*time.Second
	if b.small {
		processes, lasts = 20, 3*time.Second
	}
	crowd, err := b.crowd(processes, each, 1)
	if err != nil {
		return err
	}
	defer func() { _ = crowd.leave() }()
	title := fmt.Sprintf("a sample of %d processes with %d descriptors", processes, processes*each)
	if err := b.measure(title, []command{
		{name: "C: stat, cgroup, cmdline", args: []string{b.tool("loops"), "processes"}},
		{name: "ps -e", args: []string{"ps", "-eo", "pid,ppid,stat,nlwp,rss,cgroup,args"}},
		{name: "lsof -b -w -nP", args: []string{"lsof", "-b", "-w", "-nP"}},
	}); err != nil {
		return err
	}
	r, err := b.record(lasts)
	if err != nil {
		return err
	}
	samples, err := report.UnpackSamples(r.Recording.Samples, len(r.Processes.Cgroups), len(r.Processes.List))
	if err != nil || len(samples) < 2 {
		return fmt.Errorf("the recorder took %d samples: %w", len(samples), err)
	}
	const usual = 30 // seconds between two samples
	each1 := time.Duration(r.Recording.CPUMillis) * time.Millisecond / time.Duration(len(samples))
	fmt.Printf("  %-58s %9s %7s %9s %6.1f MiB\n", "nodedoc-probe: recording, each sample with all between them", short(each1), "", "", float64(r.Recording.ResidentBytes)/(1<<20))
	fmt.Printf("  %-58s %8.2f%%\n", fmt.Sprintf("of one core, with a sample each %d s", usual), each1.Seconds()/usual*100)
	return nil
}

// record lets the probe record, a sample each second, and asks for what it has.
func (b *bench) record(lasts time.Duration) (*report.NodeReport, error) {
	cmd := exec.CommandContext(b.ctx, b.tool("nodedoc-probe"), "serve", nonce)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer func() {
		_ = in.Close()
		_ = cmd.Wait()
	}()
	req := report.NewRequest()
	req.Record = &report.RecordRequest{ForSeconds: int64(lasts.Seconds()), EveryMillis: 1000}
	text, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	if err := report.WriteFrame(in, nonce, report.Frame{Type: report.FrameRecord, Payload: text}); err != nil {
		return nil, err
	}
	return lastRecording(out)
}

func lastRecording(out io.Reader) (*report.NodeReport, error) {
	frames := report.NewFrameReader(out, nonce)
	for {
		f, err := frames.Next()
		switch {
		case err != nil:
			return nil, err
		case f.Type == report.FrameError:
			return nil, errors.New(string(f.Payload))
		case f.Type != report.FrameReport:
			continue
		}
		r, err := report.DecodeReport(f.Payload)
		if err != nil || r.Recording != nil && r.Recording.Ended {
			return r, err
		}
	}
}
