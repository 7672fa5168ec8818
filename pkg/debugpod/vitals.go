package debugpod

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// vitalsAfter a pod was created that does not run, what else can tell is asked: a
// healthy node takes a second or two.
const vitalsAfter = 5 * time.Second

// vitalsTold is what whoever waits is told of a node on which a pod does not start.
type vitalsTold struct {
	verdict string
	lines   []string
}

// vitalsLater tells them where the pod does not run by then; never where many nodes
// are asked at once.
func (s *Session) vitalsLater(ctx context.Context, w *waiter) <-chan vitalsTold {
	told := make(chan vitalsTold, 1)
	if s.cfg.Survey != nil {
		return told
	}
	after := min(vitalsAfter, s.startTimeout()/2)
	go func() {
		if pause(ctx, after) == nil {
			told <- s.askVitals(ctx, w)
		}
	}()
	return told
}

func (s *Session) askVitals(ctx context.Context, w *waiter) vitalsTold {
	own := make(chan bool, 1)
	go func() { own <- s.withoutSandbox(ctx) }()
	v := inventory.AskVitals(ctx, s.clients.Kube, s.node.Name)
	// While an image is pulled the condition may not have been set yet.
	return tellOf(v, v.Verdict(&inventory.OwnPod{TakenUp: w.takenUp.Load(), NoSandbox: <-own && !w.sandbox.Load()}))
}

// withoutSandbox, by the kubelet's own word.
func (s *Session) withoutSandbox(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	p, err := within(ctx, func(ctx context.Context) (*corev1.Pod, error) {
		return s.clients.Kube.CoreV1().Pods(s.pod.Namespace).Get(ctx, s.pod.Name, metav1.GetOptions{})
	})
	return err == nil && inventory.WithoutSandbox(p)
}

// tellOf: nothing is told where nothing is out of order; else what is, and which
// of the kubelet's endpoints answer.
func tellOf(v *inventory.Vitals, verdict string) vitalsTold {
	told := vitalsTold{verdict: verdict}
	if verdict == "" && len(v.Stuck) == 0 && v.Ready() {
		return told
	}
	for _, f := range v.Facts() {
		if f.Severity != "" || strings.Contains(f.Text, "answers") || strings.Contains(f.Text, "condition Ready") {
			told.lines = append(told.lines, f.String())
		}
	}
	return told
}
