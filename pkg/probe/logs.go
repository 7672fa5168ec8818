//go:build linux

package probe

import (
	"cmp"
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// Bounds of one log, in bytes where the request does not say, and in lines.
	logBytes, maxLogBytes = 256 << 10, 4 << 20
	maxLogLines           = 20_000
	maxLogLine            = 1000
	// logSeconds is how far back logs are read where the request does not say.
	logSeconds, maxLogSeconds = 600, 7 * 24 * 3600
	// maxLogBlobs bounds the compressed texts of one log, in bytes.
	maxLogBlobs = 1 << 20
)

// The usual names of units, each of one word.
const (
	kubeletUnits = `kubelet.service k3s.service k3s-agent.service rke2-server.service rke2-agent.service k0scontroller.service k0sworker.service
		snap.microk8s.daemon-kubelite.service snap.microk8s.daemon-kubelet.service snap.kubelet-eks.daemon.service snap.kubelet.daemon.service
		snap.k8s.kubelet.service origin-node.service atomic-openshift-node.service`
	runtimeUnits = `containerd.service docker.service crio.service cri-docker.service cri-dockerd.service snap.microk8s.daemon-containerd.service snap.k8s.containerd.service`
)

// logs reads what the kubelet, the runtimes and the kernel have logged.
type logs struct {
	run
	root *hostfs.Root
	bad  unreadable
	out  *report.Logs
	// left is what may still be read of the log at hand, blobs of its compressed texts.
	left, blobs int
}

func collectLogs(ctx context.Context, r run) (publish, error) {
	bad := unreadable{}
	root, err := hostfs.OpenRoot(r.fs, rootMounts(r.fs, bad))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	now := time.Now()
	back := min(cmp.Or(max(r.req.LogSeconds, 0), logSeconds), maxLogSeconds)
	l := &logs{run: r, root: root, bad: bad, out: &report.Logs{Since: now.UnixMicro() - back*1e6, Until: now.UnixMicro()}}
	files := l.journals()
	defer closeJournals(files)
	for _, name := range []string{report.LogKubelet, report.LogRuntime} {
		s := report.LogSource{Name: name, Where: "journal"}
		l.left, l.blobs = l.bytes(), min(maxLogBlobs, l.bytes())
		l.fromJournal(ctx, files, &s, l.units(name), "_SYSTEMD_UNIT", "UNIT")
		if len(s.Lines) == 0 && s.Left == 0 {
			// A kubelet with kubeletCgroups leaves its unit's cgroup, and journald
			// does not know any more whose lines these are.
			l.fromJournal(ctx, files, &s, strings.Fields(tagsOf(name)), "SYSLOG_IDENTIFIER")
		}
		if len(s.Lines) > 0 {
			l.out.Sources = append(l.out.Sources, s)
		} else {
			l.fromFiles(name, s.Left)
		}
	}
	l.kernel()
	l.out.Unreadable = l.bad.list()
	return func(r *run) { r.report.Logs = l.out }, nil
}

func (l *logs) bytes() int { return min(cmp.Or(max(l.req.LogBytes, 0), logBytes), maxLogBytes) }

// room takes a text's bytes from what may still be read.
func (l *logs) room(text string) bool {
	l.left -= len(text)
	return l.left >= 0
}

// text is a message as a report has it: what is secret is hidden before it is cut.
func (l *logs) text(text string) string {
	if !l.req.ShowSecrets {
		text = hostfs.RedactLog(text)
	}
	end := min(len(text), maxLogLine)
	for end < len(text) && end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return report.Escape(text[:end])
}

// kernel reads the kernel's own lines. Their clock is the uptime's, within some
// seconds a day.
func (l *logs) kernel() {
	log, err := hostfs.ReadKernelLog(l.fs)
	if err != nil {
		l.bad.add("kernel log", err)
		return
	}
	s := report.LogSource{Name: report.LogKernel, Where: "kernel log"}
	var all []report.LogLine
	boot := float64(l.out.Until) - l.report.Node.Uptime*1e6
	hostfs.EachKernelLine(log, func(k hostfs.KernelLine) {
		at := int64(boot + k.Seconds*1e6)
		if k.Seconds < 0 || k.FromUser || at < l.out.Since {
			return
		}
		line := report.LogLine{At: at, Text: l.text(k.Text)}
		if k.Level >= 0 {
			line.Priority = &k.Level
		}
		all = append(all, line)
	})
	l.left = l.bytes()
	for i := len(all) - 1; i >= 0; i-- {
		if len(s.Lines) == maxLogLines || !l.room(all[i].Text) {
			s.Left = i + 1
			break
		}
		s.Lines = append(s.Lines, all[i])
	}
	l.out.Sources = append(l.out.Sources, s)
}

// units are those that a log is of: the usual names, and those of the processes.
func (l *logs) units(name string) []string {
	units := strings.Fields(runtimeUnits)
	if name == report.LogKubelet {
		units = strings.Fields(kubeletUnits)
	}
	for _, d := range l.daemons(name) {
		// k3s runs both: its log is the kubelet's.
		if strings.HasSuffix(d.unit, ".service") && (name == report.LogKubelet || !strings.Contains(kubeletUnits, d.unit)) {
			units = append(units, d.unit)
		}
	}
	return units
}

// daemons are those of a log: the kubelet, which is the first, or the runtimes'.
func (l *logs) daemons(name string) []daemon {
	switch {
	case l.kubelet == nil || len(l.kubelet.daemons) == 0:
		return nil
	case name == report.LogKubelet:
		return l.kubelet.daemons[:1]
	}
	return l.kubelet.daemons[1:]
}
