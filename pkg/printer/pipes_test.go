package printer

import (
	"bytes"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func pipeRow(o correlate.Owner, pipes int, pages uint64, comm string) correlate.PipeRow {
	return correlate.PipeRow{Owner: o, PipeCount: correlate.PipeCount{Pipes: pipes, Pages: pages}, Percent: float64(pages) / 163.84, Users: []string{"root"},
		Heaviest: correlate.PipeHeaviest{PID: 1000 + pipes, Comm: comm, Cmdline: "/usr/bin/" + comm + " --flag=value", Pipes: pipes}}
}

// sickPipes is a node whose runc hangs; its last row and wait are hostile.
func sickPipes() correlate.NodePipes {
	hub := podOwner("hub-0", "StatefulSet/hub", correlate.PodKnown)
	sandbox := podOwner("web-7d9f", "Deployment/web", correlate.PodKnown)
	sandbox.Sandbox = true
	heavy := pipeRow(hub, 1100, 16_536, "java")
	heavy.Container, heavy.Small = "agent", 76
	evil := pipeRow(podOwner("ops-0", "", correlate.PodGone), 3, 48, `evil\x1b[2J`)
	evil.Estimated, evil.Users = true, []string{"1000", "root"}
	return correlate.NodePipes{Node: "node-43", By: correlate.ByPod, UserPagesSoft: of(uint64(16_384)), UserPagesHard: of(uint64(0)), PageBytes: 4096,
		Users: []correlate.PipeUser{
			{Name: "root", PipeCount: correlate.PipeCount{Pipes: 1200, Pages: 16_900, Small: 76}, Percent: 103.1},
			{UID: 1000, Name: "1000", PipeCount: correlate.PipeCount{Pipes: 2, Pages: 32, Estimated: true}, Percent: 0.2},
		},
		Rows: []correlate.PipeRow{heavy, evil},
		Waits: []correlate.PipeWait{
			{Owner: sandbox, PID: 4242, TID: 4242, Comm: "runc:[2:INIT]", Cmdline: "runc init", Runtime: "runc init", Op: "write", Wchan: "pipe_wait", FD: of(4), StayedSeconds: 2, AgeSeconds: 4000,
				Pipe: &correlate.PipeState{Name: "pipe:[77]", Capacity: of(uint64(8192)), Filled: of(uint64(8192)), Pages: 2, Small: true, Full: true,
					Ends: []correlate.PipeEnd{{Owner: sandbox, PID: 4242, Comm: "runc:[2:INIT]", FD: 4, Write: true}, {Owner: sandbox, PID: 4242, Comm: "runc:[2:INIT]", FD: 6, Read: true}}}},
			{Owner: hub, PID: 17, TID: 18, Comm: "java", Cmdline: "java -jar hub.jar", Op: "write", Wchan: "pipe_write", FD: of(1), AgeSeconds: 90,
				Pipe: &correlate.PipeState{Name: `/run/containerd/fifo/1/\x1b[2J-stdout`, Ends: []correlate.PipeEnd{{PID: 30, Comm: "containerd-shim", Read: true}, {PID: 31, Comm: "cat", Read: true}}}},
			{Owner: correlate.Owner{Type: correlate.OwnerUnknown}, PID: 99, TID: 99, Comm: "x", Wchan: "pipe_wait"},
		},
		LookedSeconds: 2, WaitsLeft: 12, Unread: 1,
		Gaps: []report.Unreadable{{What: "capacity of pipes", Cause: "function not implemented", Count: 3}},
	}
}

func pipesText(n correlate.NodePipes, findings []diagnose.Finding, change func(*Style)) show {
	return func(t *testing.T, s Style) string {
		t.Helper()
		if change != nil {
			change(&s)
		}
		var b bytes.Buffer
		if err := Pipes(&b, n, findings, s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
}

func TestPipes(t *testing.T) {
	healthy := sickPipes()
	healthy.Users, healthy.Waits, healthy.Gaps, healthy.WaitsLeft, healthy.Unread = healthy.Users[1:], nil, nil, 0, 0
	filtered := sickPipes()
	filtered.Filter = &correlate.PipesFiltered{Namespace: "prod", Selector: "app=hub", Matched: 1, Of: 41, Pipes: 1100}
	filtered.Rows, filtered.Waits = filtered.Rows[:1], nil
	limitless, off := sickPipes(), sickPipes()
	limitless.UserPagesSoft, *off.UserPagesSoft = nil, 0
	critical := []diagnose.Finding{{ID: diagnose.PipesUserLimit, Severity: diagnose.Critical, Summary: "user root has 103 % of the pipe buffers that one user may have",
		Evidence: []string{"16,900 pages in 1,200 pipes, fs.pipe-user-pages-soft is 16,384"}, Remedy: []diagnose.Step{{Do: "to win time, on the node", Run: "sysctl -w fs.pipe-user-pages-soft=33800"}}}}
	for name, show := range map[string]show{
		"pipes-sick":          pipesText(sickPipes(), critical, nil),
		"pipes-top":           pipesText(sickPipes(), nil, func(s *Style) { s.Top = 1 }),
		"pipes-healthy":       pipesText(healthy, nil, nil),
		"pipes-filtered":      pipesText(filtered, nil, nil),
		"pipes-without-limit": pipesText(limitless, nil, func(s *Style) { s.Top = 1 }),
		"pipes-limit-off":     pipesText(off, nil, func(s *Style) { s.Top = 1 }),
		"pipes-empty":         pipesText(correlate.NodePipes{Node: "node-43", UserPagesSoft: of(uint64(16_384))}, nil, nil),
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, show) })
	}
}
