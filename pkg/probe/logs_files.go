//go:build linux

package probe

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Where logs are without a journal, in the order to try. syslogs are where a syslog
// daemon writes what has no file of its own.
const (
	kubeletFiles = `/var/log/kubelet.log /var/log/k3s.log /var/log/kubernetes/kubelet.log /var/lib/rancher/rke2/agent/logs/kubelet.log`
	runtimeFiles = `/var/log/containerd.log /var/log/docker.log /var/log/crio.log
		/var/lib/rancher/k3s/agent/containerd/containerd.log /var/lib/rancher/rke2/agent/containerd/containerd.log`
	syslogs     = "/var/log/messages /var/log/syslog"
	kubeletTags = " kubelet hyperkube k3s rke2 k0s kubelite microk8s.daemon-kubelite microk8s.daemon-kubelet kubelet-eks.daemon kubelet.daemon k8s.kubelet "
	runtimeTags = " containerd dockerd dockerd-current crio cri-dockerd microk8s.daemon-containerd k8s.containerd "
)

// ownFiles are where a log may be without a journal: where its processes' standard
// streams lead, and the usual places.
func (l *logs) ownFiles(name string) []string {
	var files []string
	for _, d := range l.daemons(name) {
		if strings.HasPrefix(d.log, "/") && !strings.HasPrefix(d.log, "/dev/") {
			files = append(files, d.log)
		}
	}
	usual := runtimeFiles
	if name == report.LogKubelet {
		usual = kubeletFiles
	}
	return append(files, strings.Fields(usual)...)
}

// fromFiles reads the end of a log's own file, else of the syslog's.
func (l *logs) fromFiles(name string, left int) {
	for _, file := range l.ownFiles(name) {
		if l.tail(name, file, l.bytes(), false) {
			return
		}
	}
	for _, file := range strings.Fields(syslogs) {
		if l.tail(name, file, maxLogBytes, true) {
			return
		}
	}
	if left > 0 { // there are messages, and none could be read
		l.out.Sources = append(l.out.Sources, report.LogSource{Name: name, Where: "journal", Left: left})
	}
}

// loggedBy: a line of syslog's, by its tag.
//
//	Nov 22 06:35:55 node-7 kubelet[326]: I1122 …
//	2026-11-22T06:35:55.123456+00:00 node-7 kubelet[326]: I1122 …
//	<30>1 2026-11-22T06:35:55.123456+00:00 node-7 kubelet 326 - - I1122 …     RFC 5424
func loggedBy(name, line string) bool {
	head, _, _ := strings.Cut(line, ": ")
	tag := head[strings.LastIndexByte(head, ' ')+1:]
	if f := strings.SplitN(line, " ", 5); len(f) == 5 && strings.HasPrefix(line, "<") {
		tag = f[3]
	}
	tag, _, _ = strings.Cut(tag, "[")
	return tag != "" && strings.Contains(tagsOf(name), " "+tag+" ")
}

// tagsOf are the identifiers of a log in syslog.
func tagsOf(name string) string {
	if name == report.LogKubelet {
		return kubeletTags
	}
	return runtimeTags
}

// tail adds the lines of a file's end, of so many bytes; of the syslog those of the log.
func (l *logs) tail(name, file string, most int, syslog bool) bool {
	text, info, err := l.readTail(file, most)
	if err != nil {
		if !hostfs.Gone(err) {
			l.bad.add(file, err)
		}
		return false
	}
	s := report.LogSource{Name: name, Where: report.Escape(file), Written: info.ModTime().Unix(), Cut: int64(len(text)) < info.Size()}
	if s.Cut { // the first line's beginning is not here
		_, text, _ = strings.Cut(text, "\n")
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	l.left = l.bytes()
	for i := len(lines) - 1; i >= 0; i-- {
		if lines[i] == "" || syslog && !loggedBy(name, lines[i]) {
			continue
		}
		line := l.text(lines[i])
		if len(s.Lines) == maxLogLines || !l.room(line) {
			s.Cut = true
			break
		}
		s.Lines = append(s.Lines, report.LogLine{Text: line})
	}
	if len(s.Lines) > 0 {
		l.out.Sources = append(l.out.Sources, s)
	}
	return len(s.Lines) > 0
}

func (l *logs) readTail(file string, most int) (string, os.FileInfo, error) {
	at, err := l.root.Resolve(file)
	if err != nil {
		return "", nil, err
	}
	f, info, err := l.root.OpenRegular(at)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	b := make([]byte, min(info.Size(), int64(most)))
	n, err := f.ReadAt(b, info.Size()-int64(len(b)))
	if errors.Is(err, io.EOF) { // it was truncated meanwhile
		err = nil
	}
	return string(b[:n]), info, err
}
