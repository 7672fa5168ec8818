package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// joinPatience bounds the search for a report's node.
	joinPatience = 30 * time.Second
	joinPage     = 500
	// oldReport is when what the API server says is of another time than the report.
	oldReport = time.Minute
)

// joinNow asks the API server about the node of a report that was made without it.
func (s *source) joinNow(ctx context.Context, r *report.NodeReport, inv *inventory.Inventory) (*inventory.Inventory, error) {
	if inv != nil {
		return nil, errors.New("what the API server said is in the file already: --join is for a report that a script made")
	}
	at, err := s.reach()
	if err != nil {
		return nil, err
	}
	s.progress.show("looking for the report's node")
	searching, cancel := context.WithTimeout(ctx, joinPatience)
	defer cancel()
	node, err := nodeOf(searching, at.clients.Kube, r.Node)
	if err != nil {
		return nil, err
	}
	if age := time.Since(time.Unix(r.Node.Now, 0)); age > oldReport {
		s.progress.warn(fmt.Sprintf("the report is %s old: what the API server says is of now, and pods that have ended since are called gone", duration.HumanDuration(age)))
	}
	s.progress.show("asking the API server for its pods")
	asker := s.asker(at, node)
	inv = asker.Ask(ctx)
	if s.storage != nil {
		inv.AddStorage(s.storage.since(ctx, at.clients.Kube, time.Time{}))
	}
	if inv.PodsError != "" {
		return nil, fmt.Errorf("failed to list the pods of node %q: %s", node, inv.PodsError)
	}
	return inv, nil
}

// nodeOf finds the node that a report is of by its boot ID, which no other machine and
// no other boot has. Nodes on one machine (kind) share it: there the name decides.
func nodeOf(ctx context.Context, client kubernetes.Interface, of report.Node) (string, error) {
	if of.BootID == "" {
		return "", errors.New("the report does not say which boot it is of, so no node can be known for its own: answer without --join")
	}
	named, err := client.CoreV1().Nodes().Get(ctx, of.Hostname, metav1.GetOptions{})
	switch {
	case err == nil && named.Status.NodeInfo.BootID == of.BootID:
		return named.Name, nil
	case err == nil:
	case !apierrors.IsNotFound(err):
		return "", fmt.Errorf("failed to get node %q: %w", of.Hostname, err)
	default:
		named = nil
	}
	same, err := nodesOfBoot(ctx, client, of.BootID)
	switch {
	case err != nil:
		return "", fmt.Errorf("failed to look for the report's node: %w", err)
	case len(same) == 1:
		return same[0], nil
	case len(same) > 1:
		return "", fmt.Errorf("%d nodes run on the machine that the report is of, and none of them is called %q: answer without --join", len(same), of.Hostname)
	case named != nil:
		return "", fmt.Errorf("node %q is another machine than the report's, or has booted since: answer without --join, or name the report's cluster by --context", named.Name)
	}
	return "", fmt.Errorf("no node of this cluster is the machine that the report is of (%s): name its cluster by --context, or answer without --join", of.Hostname)
}

// nodesOfBoot are the names of nodes with this boot ID.
func nodesOfBoot(ctx context.Context, client kubernetes.Interface, bootID string) (names []string, err error) {
	options := metav1.ListOptions{Limit: joinPage}
	for {
		var page *corev1.NodeList
		if page, err = client.CoreV1().Nodes().List(ctx, options); err != nil {
			return nil, err
		}
		for i := range page.Items {
			if page.Items[i].Status.NodeInfo.BootID == bootID {
				names = append(names, page.Items[i].Name)
			}
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return names, nil
		}
	}
}
