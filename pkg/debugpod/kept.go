package debugpod

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// keptPatience bounds the wait for a kubelet that serves a file.
const keptPatience = 10 * time.Second

// Kept is the last report that a standby kept on its node.
type Kept struct {
	Report *report.NodeReport
	// Age when it was read, by the node's own clock; less than 0: unknown.
	Age   time.Duration
	Bytes int64
}

// ReadKept gets the report that a standby kept, through the kubelet's endpoint for
// logs: neither takes the container runtime.
func ReadKept(ctx context.Context, c Clients, node string) (Kept, error) {
	body, kept, err := fetchKept(ctx, c, node, report.MaxFrame)
	if err != nil {
		return kept, err
	}
	if kept.Report, err = report.DecodeReport(body); err != nil {
		return kept, fmt.Errorf("what the kubelet of node %q serves is no valid report: %w", node, err)
	}
	return kept, nil
}

// AgeOfKept says how old the report is that a standby kept, and how large.
func AgeOfKept(ctx context.Context, c Clients, node string) (Kept, error) {
	_, kept, err := fetchKept(ctx, c, node, 0)
	return kept, err
}

func fetchKept(ctx context.Context, c Clients, node string, most int64) ([]byte, Kept, error) {
	ctx, cancel := bounded(ctx, keptPatience, fmt.Sprintf("the kubelet of node %q did not answer", node))
	defer cancel()
	type answer struct {
		body []byte
		kept Kept
	}
	a, err := within(ctx, func(ctx context.Context) (a answer, err error) {
		a.body, a.kept, err = getKept(ctx, c, node, most)
		return a, err
	})
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	return a.body, a.kept, err
}

func getKept(ctx context.Context, c Clients, node string, most int64) ([]byte, Kept, error) {
	kept := Kept{Age: -1}
	client, err := rest.RESTClientFor(restConfig(c.REST))
	if err != nil {
		return nil, kept, fmt.Errorf("failed to prepare the request: %w", err)
	}
	transport, err := rest.HTTPClientFor(c.REST)
	if err != nil {
		return nil, kept, fmt.Errorf("failed to prepare the request: %w", err)
	}
	url := client.Get().Resource("nodes").Name(node).SubResource("proxy").
		Suffix("logs", strings.TrimPrefix(report.KeptDir, "/var/log/"), report.KeptName).URL()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url.String(), nil)
	if err != nil {
		return nil, kept, err
	}
	got, err := transport.Do(request)
	if err != nil {
		return nil, kept, err
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(got.Body, 4096))
		return nil, kept, keptRefused(node, got.StatusCode, string(said))
	}
	kept.Bytes = got.ContentLength
	written, err := http.ParseTime(got.Header.Get("Last-Modified"))
	now, nowErr := http.ParseTime(got.Header.Get("Date"))
	if errors.Join(err, nowErr) == nil { // both are the kubelet's
		kept.Age = max(now.Sub(written), 0)
	}
	body, err := io.ReadAll(io.LimitReader(got.Body, most))
	return body, kept, err
}

// keptRefused says why there is nothing to read, and what would help.
func keptRefused(node string, code int, said string) error {
	said = quote("", strings.TrimSpace(said))
	switch code {
	case http.StatusForbidden, http.StatusUnauthorized:
		return fmt.Errorf("you may not get nodes/proxy, by which the kubelet of node %q serves its files; have this made and bound to you: %s", node, hintNodesProxy)
	case http.StatusMethodNotAllowed:
		return fmt.Errorf("the kubelet of node %q serves no files: enableSystemLogHandler or enableDebuggingHandlers is off in its configuration", node)
	case http.StatusNotFound:
		return fmt.Errorf("node %q has no report of a standby (%s)", node, path.Join(report.KeptDir, report.KeptName))
	}
	return fmt.Errorf("the kubelet of node %q does not serve its files: HTTP status %d: %s", node, code, said)
}

const hintNodesProxy = "kubectl create clusterrole nodedoc-black-box --verb=get --resource=nodes/proxy"
