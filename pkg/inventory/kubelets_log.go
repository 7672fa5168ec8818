package inventory

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	maxLogAnswer  = 8 << 20 // of the endpoint
	maxLogKept    = 2 << 20
	maxLogLines   = 20_000
	maxLogLineLen = 1000
)

var errNoLog = errors.New("its endpoint has neither the journal (NodeLogQuery) nor a file of the kubelet's")

// askLog asks for the kubelet's log: by a query that it hands to journalctl (KEP-2258),
// else among the files in /var/log. A directory's listing is HTML.
func askLog(ctx context.Context, client kubernetes.Interface, node string, since time.Duration) (*KubeletLog, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*kubeletPatience)
	defer cancel()
	now := time.Now()
	log := &KubeletLog{Asked: now.Unix(), Since: now.Add(-since).Unix()}
	b, failed := queryLog(ctx, client, node, since)
	if failed == nil {
		log.Path = "/logs/?query=kubelet"
		log.add(string(b), false)
	}
	for _, file := range []string{"kubelet.log", "messages", "syslog"} {
		if len(log.Lines) > 0 {
			return log, nil
		}
		r := client.CoreV1().RESTClient().Get().Resource("nodes").Name(node).SubResource("proxy", "logs", file)
		r.SetHeader("Range", fmt.Sprintf("bytes=-%d", maxLogAnswer)) // its end
		if b, err := readAnswer(ctx, r, maxLogAnswer); err == nil {
			log.Path = "/var/log/" + file
			log.add(string(b), file != "kubelet.log")
		} else if apierrors.IsForbidden(err) || ctx.Err() != nil {
			return nil, err
		}
	}
	if len(log.Lines) > 0 {
		return log, nil
	}
	if failed != nil && !apierrors.IsNotFound(failed) && !apierrors.IsBadRequest(failed) && !apierrors.IsMethodNotSupported(failed) {
		return nil, failed
	}
	return nil, errNoLog
}

func queryLog(ctx context.Context, client kubernetes.Interface, node string, since time.Duration) ([]byte, error) {
	// SubResource would take off the slash at the end, without which the kubelet redirects.
	r := client.CoreV1().RESTClient().Get().AbsPath("/api/v1/nodes/" + url.PathEscape(node) + "/proxy/logs/")
	r.Param("query", "kubelet").Param("tailLines", fmt.Sprint(maxLogLines)).Param("sinceTime", time.Now().Add(-since).UTC().Format(time.RFC3339))
	return readAnswer(ctx, r, maxLogAnswer)
}

// add keeps the last lines; of a syslog those of the kubelet.
func (l *KubeletLog) add(text string, syslog bool) {
	if strings.HasPrefix(strings.TrimSpace(text), "<") { // <pre>: a listing
		return
	}
	kept := 0
	for _, line := range slices.Backward(strings.Split(strings.TrimRight(text, "\n"), "\n")) {
		if line == "" || syslog && !strings.Contains(line, " kubelet[") && !strings.Contains(line, " kubelet: ") {
			continue
		}
		line = hostfs.RedactLog(line)
		line = report.Escape(line[:min(len(line), maxLogLineLen)])
		if kept += len(line); kept > maxLogKept || len(l.Lines) == maxLogLines {
			l.Cut = true
			return
		}
		l.Lines = append(l.Lines, line)
	}
}
