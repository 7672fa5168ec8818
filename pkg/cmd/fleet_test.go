package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"time"
)

func targetsNamed(names ...string) []target {
	var targets []target
	for _, n := range names {
		targets = append(targets, target{node: n})
	}
	return targets
}

func states[T any](visits []visit[T]) string {
	var s []string
	for _, v := range visits {
		s = append(s, fmt.Sprintf("%s %s", v.node, v.state))
	}
	return strings.Join(s, ", ")
}

func TestAFailingNodeCostsItsRowOnly(t *testing.T) {
	targets := append(targetsNamed("a", "b", "c", "d"), target{node: "win", state: printer.NodeSkipped, reason: "windows"})
	var last tally
	visits := visitAll(context.Background(), targets, 2, func(_ context.Context, node string) (int, error) {
		switch node {
		case "b":
			return 0, errors.New("no\nimage")
		case "c":
			return 3, &besideError{errors.New("its pod may be left")}
		}
		return 1, nil
	}, func(t tally) { last = t })
	if got, want := states(visits), "a answered, b failed, c answered, d answered, win skipped"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if visits[1].reason != "no image" || visits[2].value != 3 || last != (tally{of: 4, done: 3, failed: 1}) {
		t.Errorf("%+v, %+v", visits, last)
	}
	if err := fleetError(visits); err == nil || err.Error() != "b: no image\nc: its pod may be left" {
		t.Errorf("got %v", err)
	}
}

func TestSoManyAtATime(t *testing.T) {
	var now, most atomic.Int32
	full := make(chan struct{})
	visitAll(context.Background(), targetsNamed(numbers(40)...), 7, func(context.Context, string) (int, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n == 7 {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		<-full // so that seven are there at once
		return 0, nil
	}, func(tally) {})
	if most.Load() != 7 {
		t.Errorf("%d at a time, want 7", most.Load())
	}
}

// Ctrl-C while two of five are asked: the one that has answered stands.
func TestInterruptedFleet(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	answered, once := make(chan struct{}), sync.Once{}
	visits := visitAll(ctx, targetsNamed("a", "b", "c", "d", "e"), 2, func(ctx context.Context, node string) (string, error) {
		switch node {
		case "a":
			return "mounts", nil
		case "b":
			<-answered
			cancel(errInterrupted)
			<-ctx.Done()
			return "", fmt.Errorf("failed to start the probe: %w; and %w", context.Cause(ctx), &debugpod.PodLeftError{Err: errors.New("pod p may be left")})
		}
		<-ctx.Done()
		return "", context.Cause(ctx)
	}, func(t tally) {
		if t.done == 1 {
			once.Do(func() { close(answered) })
		}
	})
	if got, want := states(visits), "a answered, b missing, c missing, d missing, e missing"; got != want || visits[0].value != "mounts" {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := missing(visits); !slices.Equal(got, []string{"b", "c", "d", "e"}) {
		t.Errorf("missing %q", got)
	}
	if err := fleetError(visits); err == nil || err.Error() != "b: pod p may be left" {
		t.Errorf("got %v", err)
	}
}

func TestOneReasonOfManyNodesIsSaidOnce(t *testing.T) {
	visits := visitAll(context.Background(), targetsNamed("a", "b", "c", "d", "e", "f", "g"), 1, func(_ context.Context, node string) (int, error) {
		return 0, fmt.Errorf("node %q has no image", node)
	}, func(tally) {})
	if err := fleetError(visits); err.Error() != "a, b, c, d, e and 2 more: the node has no image" {
		t.Errorf("got %v", err)
	}
}

// A reason that stands with a node's answer is not said again.
func TestToldReasonsAreNotSaidAgain(t *testing.T) {
	visits := visitAll(context.Background(), targetsNamed("a", "b", "c"), 1, func(context.Context, string) (int, error) {
		return 0, errors.New("no image")
	}, func(tally) {})
	visits[0].told, visits[2].told = true, true
	if err := fleetError(visits); err.Error() != "no answer from a, c: what is printed says why\nb: no image" {
		t.Errorf("got %v", err)
	}
}

func node(name string, change func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"pool": "ebs"}}}
	n.Status.NodeInfo.OperatingSystem = "linux"
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	if change != nil {
		change(n)
	}
	return n
}

func testNodes() *fake.Clientset {
	return fake.NewClientset(node("c", nil), node("a", func(n *corev1.Node) { n.Labels = nil }),
		node("b-win", func(n *corev1.Node) { n.Status.NodeInfo.OperatingSystem = "windows" }),
		node("d-fargate", func(n *corev1.Node) { n.Labels["eks.amazonaws.com/compute-type"] = "fargate" }),
		node("e-dead", func(n *corev1.Node) {
			n.Status.Conditions[0].Status = corev1.ConditionUnknown
			n.Status.Conditions[0].LastTransitionTime = metav1.NewTime(time.Unix(1_700_000_000, 0))
		}))
}

func TestAllNodes(t *testing.T) {
	client := testNodes()
	targets, err := allNodes(context.Background(), client, "")
	want := []target{{node: "a"}, {"b-win", printer.NodeSkipped, `node "b-win" runs windows: only Linux nodes can be diagnosed`}, {node: "c"},
		{"d-fargate", printer.NodeSkipped, `node "d-fargate" is virtual (AWS Fargate): there is no machine behind it to diagnose`},
		{"e-dead", printer.NodeFailed, "not ready since 2023-11-14T22:13:20Z: the kubelet stopped posting its status; name it to try"}}
	if err != nil || !slices.Equal(targets, want) {
		t.Errorf("got %+v, %v\nwant %+v", targets, err, want)
	}
	if o := client.Actions()[0].(clienttesting.ListActionImpl).GetListOptions(); o.ResourceVersion != "0" || o.Limit != nodesPerPage {
		t.Errorf("listed with %+v", o)
	}
	targets, err = allNodes(context.Background(), client, "pool=ebs")
	if err != nil || len(targets) != 4 {
		t.Errorf("got %+v, %v", targets, err)
	}
	if _, err := allNodes(context.Background(), client, "pool=other"); err == nil || err.Error() != "no node has the labels pool=other: see `kubectl get nodes --show-labels`" {
		t.Errorf("got %v", err)
	}
}

// Whoever names a node wants it tried, or an error.
func TestNamedNodes(t *testing.T) {
	targets, err := namedNodes(context.Background(), testNodes(), []string{"e-dead", "c", "b-win"})
	want := []target{{node: "e-dead"}, {node: "c"}, {"b-win", printer.NodeFailed, `node "b-win" runs windows: only Linux nodes can be diagnosed`}}
	if err != nil || !slices.Equal(targets, want) {
		t.Errorf("got %+v, %v\nwant %+v", targets, err, want)
	}
	_, err = namedNodes(context.Background(), testNodes(), []string{"c", "win", "zzz"})
	if err == nil || err.Error() != "there is no node \"win\": did you mean b-win?\nthere is no node \"zzz\": see `kubectl get nodes`" {
		t.Errorf("got %v", err)
	}
}

func TestAtATime(t *testing.T) {
	for nodes, want := range map[int]int{0: 5, 1: 5, 50: 5, 51: 6, 1000: 100} {
		if got := atATime(nodes); got != want {
			t.Errorf("%d of %d nodes, want %d", got, nodes, want)
		}
	}
}

func TestWarningsOfManyNodesAreSaidOnce(t *testing.T) {
	var b strings.Builder
	p := newFleetProgress(&progress{out: &b})
	for _, n := range []string{"node-1", "node-2", "node-3"} {
		p.ofNode(n).warn("node " + n + " has \x1b[2J no image")
	}
	if b.String() != "warning: node-1: node node-1 has \\x1b[2J no image\n" {
		t.Errorf("got %q", b.String())
	}
}

func TestFleetProgress(t *testing.T) {
	for width, want := range map[int]string{
		200: eraseLine + "nodes: 38 done, 1 failed, 1 left 97%",
		30:  eraseLine + "nodes: 38 done, 1 failed, 1 …",
	} {
		var b strings.Builder
		p := newFleetProgress(&progress{out: &b, width: func() int { return width }})
		p.tell(tally{of: 40, done: 38, failed: 1})
		p.clear()
		if got := b.String(); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, eraseLine) || strings.Contains(got, "\n") {
			t.Errorf("width %d: %q, want %q", width, got, want)
		}
	}
	var b strings.Builder
	p := newFleetProgress(&progress{out: &b})
	p.tell(tally{of: 40})
	p.clear()
	if b.Len() > 0 {
		t.Errorf("in a pipe: %q", b.String())
	}
}

func TestLeftBehind(t *testing.T) {
	l := &leftBehind{}
	ctx := withLeftBehind(context.Background(), l)
	a := &podNotes{left: leftBehindOf(ctx), cleanUp: "kubectl nodedoc cleanup -n ops"}
	b := &podNotes{left: leftBehindOf(ctx), cleanUp: "kubectl nodedoc cleanup -n ops"}
	a.created("kubectl delete pod a1 -n ops")
	a.created("kubectl delete pod a2 -n ops") // the first one's image was refused
	if got := l.byHand(); got != "if the pod is still there: kubectl delete pod a2 -n ops" {
		t.Errorf("got %q", got)
	}
	b.created("kubectl delete pod b -n ops")
	if got := l.byHand(); got != "2 pods end by themselves, their records stay: kubectl nodedoc cleanup -n ops" {
		t.Errorf("got %q", got)
	}
	a.gone()
	b.gone()
	if got := l.byHand(); got != "" {
		t.Errorf("got %q", got)
	}
}

// A volume may be younger than what was asked before: then it is asked again.
func TestStorageIsSharedUntilItIsTooOld(t *testing.T) {
	asked, clock := 0, time.Unix(1_700_000_000, 0)
	s := &storage{now: func() time.Time { return clock }, ask: func(context.Context, kubernetes.Interface) *inventory.Storage {
		asked++
		return &inventory.Storage{}
	}}
	start := clock
	for _, step := range []struct {
		after time.Time
		want  int
	}{{time.Time{}, 1}, {start, 1}, {start.Add(time.Second), 2}, {start.Add(time.Second), 2}} {
		s.since(context.Background(), nil, step.after)
		if asked != step.want {
			t.Errorf("asked %d times, want %d", asked, step.want)
		}
		clock = start.Add(2 * time.Second)
	}
	s.last.VolumesError = "timeout"
	s.since(context.Background(), nil, time.Time{})
	clock = clock.Add(askAgain + 1)
	s.since(context.Background(), nil, time.Time{})
	if asked != 3 {
		t.Errorf("asked %d times, want 3: an error is asked again, not at once", asked)
	}
}
