package debugpod

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
)

// verb is one thing the user must be allowed to do.
type verb struct {
	verb, resource, subresource string
	// optional: there is another way if it is missing.
	optional bool
}

// verbs are what a session needs. SPDY attaches by POST, which is "create";
// WebSocket by GET, which is "get" and on newer servers "create" as well. The
// wait for the pod prefers a watch, but a get alone does.
func verbs() []verb {
	return []verb{
		{"get", "nodes", "", false},
		{"create", "pods", "", false},
		{"get", "pods", "", false},
		{"delete", "pods", "", false},
		{"create", "pods", "attach", false},
		{"get", "pods", "attach", true},
	}
}

func (v verb) resourceName() string {
	if v.subresource == "" {
		return v.resource
	}
	return v.resource + "/" + v.subresource
}

// access is what the reviews said.
type access struct {
	webSocket bool
	// unchecked is why the reviews could not be made, nil if they were.
	unchecked error
}

// readVerbs are what reading a recorder takes: its pod, the way in, and its log
// once it has ended.
func readVerbs() []verb {
	return []verb{
		{"get", "pods", "", false},
		{"create", "pods", "attach", false},
		{"get", "pods", "attach", true},
		{"get", "pods", "log", false},
	}
}

// checkAccess asks for all verbs at once, before anything is created: whoever
// may create a pod but not delete it would leave it behind.
func checkAccess(ctx context.Context, client kubernetes.Interface, namespace string, wanted []verb) (access, error) {
	type answer struct {
		allowed bool
		err     error
	}
	answers := make([]chan answer, len(wanted))
	for i, v := range wanted {
		answers[i] = make(chan answer, 1)
		go func() {
			ok, err := allowed(ctx, client, namespace, v)
			answers[i] <- answer{ok, err}
		}()
	}
	a := access{webSocket: true}
	var missing []verb
	for i, v := range wanted {
		switch got := <-answers[i]; {
		case apierrors.IsForbidden(got.err) || apierrors.IsNotFound(got.err):
			a.unchecked = got.err
		case got.err != nil:
			return a, fmt.Errorf("failed to check access: %w", got.err)
		case !got.allowed && v.optional:
			a.webSocket = false
		case !got.allowed:
			missing = append(missing, v)
		}
	}
	if len(missing) > 0 {
		return a, missingAccess(missing, namespace)
	}
	return a, nil
}

func allowed(ctx context.Context, client kubernetes.Interface, namespace string, v verb) (bool, error) {
	attributes := &authv1.ResourceAttributes{Verb: v.verb, Resource: v.resource, Subresource: v.subresource}
	if v.resource == daemonSets {
		attributes.Group = "apps"
	}
	if v.resource != "nodes" {
		attributes.Namespace = namespace
	}
	return review(ctx, client, attributes)
}

func missingAccess(missing []verb, namespace string) error {
	names := make([]string, 0, len(missing))
	hints := make([]string, 0, len(missing))
	for _, v := range missing {
		names = append(names, v.verb+" "+v.resourceName())
		if hint := v.hint(namespace); !slices.Contains(hints, hint) {
			hints = append(hints, hint)
		}
	}
	return fmt.Errorf("you may not %s in namespace %q: nothing was created; try another namespace with --pod-namespace, or have "+
		"these made and bound to you:\n  %s", strings.Join(names, ", "), namespace, strings.Join(hints, "\n  "))
}

// hint makes a role with all that a session can use of this kind.
func (v verb) hint(namespace string) string {
	if v.resource == "nodes" {
		return "kubectl create clusterrole nodedoc-nodes --verb=get,list --resource=nodes"
	}
	if v.resource == daemonSets || v.resource == configMaps {
		return "kubectl create role nodedoc-standby -n " + namespace + " --verb=create,get,list,update,delete --resource=daemonsets.apps,configmaps"
	}
	return "kubectl create role nodedoc -n " + namespace + " --verb=create,get,list,watch,delete --resource=pods,pods/attach,pods/log"
}
