//go:build linux

package probe

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs/journaltest"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const machineID = "ace9888c6097c201541e4246f48c260d"

// logNode is a node with these files, and an empty kernel log.
func logNode(t *testing.T, files map[string][]byte) hostfs.FS {
	t.Helper()
	fs := plant(t, nestedKubelets)
	files["/etc/machine-id"] = []byte(machineID + "\n")
	for name, content := range files {
		file := filepath.Join(fs.Root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fs.Log = filepath.Join(t.TempDir(), "kmsg")
	if err := os.WriteFile(fs.Log, []byte("<4>[   99.500000] EXT4-fs error (device loop0)\n<30>[   99.600000] a process says so\n<6>[ 99.700000]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return fs
}

// journalOf has messages of units, the first of each the oldest, a second apart, the last
// of them a second ago.
func journalOf(messages [][2]string) []byte {
	w := journaltest.New(true, 8|4)
	from := uint64(time.Now().UnixMicro()) - uint64(len(messages))*1e6
	for i, m := range messages {
		unit, text := m[0], m[1]
		compression := byte(0)
		if strings.HasPrefix(text, "packed") {
			compression = hostfs.JournalZstd
		}
		w.Entry(from+uint64(i)*1e6, w.Data("_SYSTEMD_UNIT", []byte(unit), 0), w.Data("MESSAGE", []byte(text), compression), w.Data("PRIORITY", []byte("4"), 0))
	}
	w.Entry(from+uint64(len(messages))*1e6, w.Data("_SYSTEMD_UNIT", []byte("init.scope"), 0), w.Data("UNIT", []byte("kubelet.service"), 0), w.Data("MESSAGE", []byte("kubelet.service: it ended"), 0))
	return w.Bytes()
}

func logsOf(t *testing.T, fs hostfs.FS, req report.Request) *report.Logs {
	t.Helper()
	r := run{fs: fs, req: req, silence: hostfs.NewSilence(), report: &report.NodeReport{}}
	for _, collect := range []func(context.Context, run) (publish, error){collectNode, collectProcesses, findKubelet, collectLogs} {
		p, err := collect(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		p(&r)
	}
	return r.report.Logs
}

func source(l *report.Logs, name string) *report.LogSource {
	for i := range l.Sources {
		if l.Sources[i].Name == name {
			return &l.Sources[i]
		}
	}
	return nil
}

func TestLogsOfTheJournal(t *testing.T) {
	fs := logNode(t, map[string][]byte{
		"/var/log/journal/" + machineID + "/system.journal": journalOf([][2]string{
			{"kubelet.service", "first\x1b[2J"}, {"cron.service", "not wanted"}, {"kubelet.service", "packed one"}, {"containerd.service", "of the runtime"}, {"kubelet.service", "packed one"}, {"kubelet.service", strings.Repeat("ä", maxLogLine)},
		}),
		"/var/log/journal/" + machineID + "/user-1000.journal": []byte("not looked at"),
		"/var/log/journal/" + machineID + "/system@x.journal~": []byte("broken"),
		"/var/log/kubelet.log":                                 []byte("not needed\n"),
	})
	if l := logsOf(t, fs, report.Request{}); len(l.Blobs) > 0 || len(source(l, report.LogKubelet).Lines) != 3 || source(l, report.LogKubelet).Left != 2 {
		t.Errorf("nobody unpacks them: %+v", l)
	}
	l := logsOf(t, fs, report.Request{PackedLogs: true})
	k := source(l, report.LogKubelet)
	if k == nil || k.Where != "journal" || len(k.Lines) != 5 || k.Left != 0 {
		t.Fatalf("%+v", k)
	}
	for i, want := range []string{"kubelet.service: it ended", strings.Repeat("ä", maxLogLine/2), "", "", `first\x1b[2J`} {
		line := k.Lines[i]
		if line.Text != want || (want == "") != (len(line.Blobs) == 1) || i > 0 && (line.Priority == nil || *line.Priority != 4 || line.At >= k.Lines[i-1].At) {
			t.Errorf("%d: %+v, want %.30s", i, line, want)
		}
	}
	if len(l.Blobs) != 1 || string(l.Blobs[0].Data) != "packed one" || l.Blobs[0].Compression != report.CompressionZstd {
		t.Errorf("blobs: %+v", l.Blobs)
	}
	if r := source(l, report.LogRuntime); r == nil || len(r.Lines) != 1 || r.Lines[0].Text != "of the runtime" {
		t.Errorf("runtime: %+v", r)
	}
	if kernel := source(l, report.LogKernel); kernel == nil || len(kernel.Lines) != 2 || kernel.Lines[1].Text != "EXT4-fs error (device loop0)" || *kernel.Lines[1].Priority != 4 {
		t.Errorf("kernel: %+v", kernel)
	}
	if n := len(l.Unreadable); n == 0 || !strings.HasSuffix(l.Unreadable[n-1].What, "/*.journal") { // the broken one
		t.Errorf("unreadable: %+v", l.Unreadable)
	}
}

// Of a flood the newest lines come, as many as there is room for, and the rest counted.
func TestLogsThatAreTooMany(t *testing.T) {
	messages := make([][2]string, 3000)
	for i := range messages {
		messages[i] = [2]string{"kubelet.service", fmt.Sprintf("%0500d", i)}
	}
	fs := logNode(t, map[string][]byte{"/run/log/journal/" + machineID + "/system.journal": journalOf(messages)})
	l := logsOf(t, fs, report.Request{LogSeconds: 2000, LogBytes: 100_000})
	k := source(l, report.LogKubelet)
	if n := len(k.Lines); n < 195 || n > 200 || k.Lines[1].Text != fmt.Sprintf("%0500d", 2999) || n+k.Left < 1995 || n+k.Left > 2001 {
		t.Errorf("%d lines, %d left, from %s", len(k.Lines), k.Left, k.Lines[1].Text)
	}
	if !strings.Contains(k.Where, "journal") || l.Until-l.Since != 2000e6 {
		t.Errorf("%+v", k.Where)
	}
}

// Without a journal the file that the kubelet writes to serves, else the syslog's lines
// of it.
func TestLogsOfFiles(t *testing.T) {
	syslog := []byte("Nov 22 06:35:56 node-7 kubelet[40]: I1122 of the kubelet\nNov 22 06:35:57 node-7 dockerd: of docker\nNov 22 06:35:58 node-7 cron[1]: of nobody: kubelet[1]: no\n")
	for name, c := range map[string]struct {
		files map[string][]byte
		where string
		want  string
	}{
		"own":      {map[string][]byte{"/data/kubelet.log": []byte("a\n\nb\n"), "/var/log/messages": syslog}, "/data/kubelet.log", "b|a"},
		"usual":    {map[string][]byte{"/var/log/kubelet.log": []byte("x"), "/var/log/messages": syslog}, "/var/log/kubelet.log", "x"},
		"syslog":   {map[string][]byte{"/var/log/messages": syslog}, "/var/log/messages", "Nov 22 06:35:56 node-7 kubelet[40]: I1122 of the kubelet"},
		"RFC 5424": {map[string][]byte{"/var/log/messages": []byte("<30>1 2026-11-22T06:35:56Z n kubelet 40 - - I1122 of the kubelet\n<30>1 2026-11-22T06:35:56Z n cron 1 - - kubelet: no\n<x\n")}, "/var/log/messages", "<30>1 2026-11-22T06:35:56Z n kubelet 40 - - I1122 of the kubelet"},
		"busybox":  {map[string][]byte{"/var/log/messages": []byte("Nov 22 06:35:56 n daemon.info k3s[40]: I1122 of the kubelet\n")}, "/var/log/messages", "Nov 22 06:35:56 n daemon.info k3s[40]: I1122 of the kubelet"},
		"cut":      {map[string][]byte{"/var/log/kubelet.log": []byte(strings.Repeat("some line\n", logBytes))}, "/var/log/kubelet.log", ""},
	} {
		t.Run(name, func(t *testing.T) {
			fs := logNode(t, c.files)
			if err := os.MkdirAll(filepath.Join(fs.Proc, "40/fd"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("/data/kubelet.log", filepath.Join(fs.Proc, "40/fd/2")); err != nil {
				t.Fatal(err)
			}
			l := logsOf(t, fs, report.Request{})
			k := source(l, report.LogKubelet)
			if k == nil || k.Where != c.where || k.Written == 0 || k.Cut != (name == "cut") {
				t.Fatalf("%+v", l.Sources)
			}
			var texts []string
			for _, line := range k.Lines {
				texts = append(texts, line.Text)
			}
			if got := strings.Join(texts, "|"); got != c.want && name != "cut" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A kubelet that has left its unit's cgroup is known by its name in syslog.
func TestLogsOfAKubeletOutsideOfItsUnit(t *testing.T) {
	w := journaltest.New(true, 8|4)
	now := uint64(time.Now().UnixMicro())
	w.Entry(now-2e6, w.Data("_SYSTEMD_UNIT", []byte("init.scope"), 0), w.Data("SYSLOG_IDENTIFIER", []byte("kubelet"), 0), w.Data("MESSAGE", []byte("E1122 it failed"), 0))
	w.Entry(now-1e6, w.Data("_SYSTEMD_UNIT", []byte("containerd.service"), 0), w.Data("SYSLOG_IDENTIFIER", []byte("containerd"), 0), w.Data("MESSAGE", []byte("of the runtime"), 0))
	w.Entry(now-1e6, w.Data("_SYSTEMD_UNIT", []byte("cron.service"), 0), w.Data("SYSLOG_IDENTIFIER", []byte("containerd"), 0), w.Data("MESSAGE", []byte("of nobody: there are lines of the unit"), 0))
	l := logsOf(t, logNode(t, map[string][]byte{"/var/log/journal/" + machineID + "/system.journal": w.Bytes()}), report.Request{})
	for name, want := range map[string]string{report.LogKubelet: "E1122 it failed", report.LogRuntime: "of the runtime"} {
		if s := source(l, name); s == nil || s.Where != "journal" || len(s.Lines) != 1 || s.Lines[0].Text != want {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// FuzzLoggedBy: a line is of one log at most, and names it.
func FuzzLoggedBy(f *testing.F) {
	for _, line := range []string{"Nov 22 06:35:56 node-7 kubelet[40]: I1122", "<30>1 2026-11-22T06:35:56Z n containerd 40 - - x", "Nov 22 06:35:56 n daemon.info k3s[40]: x", "<", ": ", "kubelet", ""} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		kubelet, runtime := loggedBy(report.LogKubelet, line), loggedBy(report.LogRuntime, line)
		if kubelet && runtime || kubelet && !slices.ContainsFunc(strings.Fields(kubeletTags), func(tag string) bool { return strings.Contains(line, tag) }) {
			t.Errorf("%q: %v, %v", line, kubelet, runtime)
		}
	})
}
