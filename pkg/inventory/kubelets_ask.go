package inventory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// maxNeighbours are asked, so many at a time, each of them so long.
	maxNeighbours     = 12
	neighboursAtATime = 6
	neighbourPatience = 8 * time.Second
	// maxNodesListed: of a larger cluster's nodes the first of the list serve.
	maxNodesListed = 500
)

// KubeletQuestions is what kubelets are asked for.
type KubeletQuestions struct {
	// Interval lies between two looks at a CPU counter.
	Interval time.Duration
	// Profile is how long the kubelet's CPU is profiled; 0: not at all.
	Profile time.Duration
	// Log: its log is asked for, of so long.
	Log   bool
	Since time.Duration
	// Alone: no other node is asked.
	Alone bool
}

// WithKubelets has Ask fill in Inventory.Kubelets. q is read when Ask is called.
func (a *Asker) WithKubelets(q *KubeletQuestions) *Asker {
	a.kubelets = q
	return a
}

// askKubelets asks for all parts side by side. It does not fail: what could not be had
// is said in the result.
func askKubelets(ctx context.Context, client kubernetes.Interface, node string, q KubeletQuestions) *Kubelets {
	k := &Kubelets{}
	var asked sync.WaitGroup
	asked.Go(func() { k.askUse(ctx, client, node, q) })
	if q.Log {
		asked.Go(func() {
			log, err := askLog(ctx, client, node, q.Since)
			if k.Log = log; err != nil {
				k.LogError = report.Escape(whyNot(err, "get nodes/proxy"))
			}
		})
	}
	if q.Profile > 0 {
		asked.Go(func() {
			profile, err := askProfile(ctx, client, node, q.Profile)
			if k.Profile, k.ProfileSeconds = profile, q.Profile.Seconds(); err != nil {
				k.ProfileError = report.Escape(err.Error())
			}
		})
	}
	asked.Wait()
	return k
}

// askUse asks the node's kubelet and its neighbours'.
func (k *Kubelets) askUse(ctx context.Context, client kubernetes.Interface, node string, q KubeletQuestions) {
	var chosen []KubeletSelf
	var others int
	var err error
	if !q.Alone {
		chosen, others, err = neighbours(ctx, client, node)
	}
	if k.Others = others; err != nil {
		k.NeighboursError = report.Escape(whyNot(err, "list nodes"))
	}
	all := append([]KubeletSelf{{Node: node}}, chosen...)
	places := make(chan struct{}, neighboursAtATime)
	var asked sync.WaitGroup
	for i := range all {
		asked.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			patience := neighbourPatience + q.Interval
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			if err := all[i].ask(ctx, client, q.Interval); err != nil {
				all[i].Error = report.Escape(whyNotWithin(err, "get nodes/proxy", patience))
			}
		})
	}
	asked.Wait()
	k.Own, k.Neighbours = &all[0], all[1:]
}

// neighbours chooses among the other ready nodes: those with as many CPUs and the same
// version first, then by the names next to the node's. The same cluster gives the same
// ones.
func neighbours(ctx context.Context, client kubernetes.Interface, node string) (chosen []KubeletSelf, others int, err error) {
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{Limit: maxNodesListed})
	if err != nil {
		return nil, 0, err
	}
	var own *corev1.Node
	var all []*corev1.Node
	for i := range list.Items {
		n := &list.Items[i]
		switch {
		case n.Name == node:
			own = n
		case answering(n):
			all = append(all, n)
		}
	}
	slices.SortFunc(all, func(a, b *corev1.Node) int { return cmp.Compare(a.Name, b.Name) })
	at, _ := slices.BinarySearchFunc(all, node, func(n *corev1.Node, name string) int { return cmp.Compare(n.Name, name) })
	all = slices.Concat(all[at:], all[:at])
	if own != nil {
		slices.SortStableFunc(all, func(a, b *corev1.Node) int { return unlike(own, a) - unlike(own, b) })
	}
	for _, n := range all[:min(len(all), maxNeighbours)] {
		chosen = append(chosen, KubeletSelf{Node: n.Name, Version: report.Escape(n.Status.NodeInfo.KubeletVersion)})
	}
	return chosen, len(all), nil
}

// answering: a real Linux node whose kubelet answers.
func answering(n *corev1.Node) bool {
	if n.Labels["type"] == "virtual-kubelet" || cmp.Or(n.Status.NodeInfo.OperatingSystem, "linux") != "linux" {
		return false
	}
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

func unlike(a, b *corev1.Node) (n int) {
	if !a.Status.Capacity.Cpu().Equal(*b.Status.Capacity.Cpu()) {
		n += 2
	}
	if a.Status.NodeInfo.KubeletVersion != b.Status.NodeInfo.KubeletVersion {
		n++
	}
	return n
}

// askProfile has the kubelet's CPU profiled.
func askProfile(ctx context.Context, client kubernetes.Interface, node string, length time.Duration) ([]byte, error) {
	const spare, maxProfile = 15 * time.Second, 16 << 20
	ctx, cancel := context.WithTimeout(ctx, length+spare)
	defer cancel()
	b, err := proxied(ctx, client, node, maxProfile, map[string]string{"seconds": fmt.Sprint(max(int(length.Seconds()), 1))}, "debug", "pprof", "profile")
	if err != nil {
		why := whyNotWithin(err, "get nodes/proxy", length+spare)
		if apierrors.IsMethodNotSupported(err) || apierrors.IsNotFound(err) || strings.Contains(why, "disabled") { // 405, 404
			why = "the kubelet does not profile itself: enableProfilingHandler or enableDebuggingHandlers is false in its configuration"
		}
		return nil, errors.New(why)
	}
	return b, nil
}
