package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// withoutPod goes on where no pod was started: by the node's standby, if it has one.
func (s *source) withoutPod(ctx context.Context, at *cluster, node string, err error, notes *podNotes, o *opened) (collectFunc, error) {
	left, isLeft := errors.AsType[*debugpod.PodLeftError](err)
	other, expected := errors.AsType[*debugpod.ElsewhereError](err)
	switch {
	case expected && other.Removed != nil:
		o.release = func() error {
			s.progress.show("removing the pod that did not start")
			defer notes.gone()
			return other.Removed()
		}
	case isLeft:
		notes.gone()
		o.release = func() error { return left }
	default:
		notes.gone()
	}
	if ctx.Err() == nil {
		if _, findErr := debugpod.FindStandby(ctx, at.clients.Kube, node, at.namespace); expected || findErr == nil {
			s.noPod = err
			return s.askStandby(ctx, at, node, err)
		}
	}
	return nil, err
}

// trySick has nodes asked that are not ready but have a standby.
func (s *source) trySick(ctx context.Context, targets []target) {
	sick := func(t target) bool { return t.state == printer.NodeFailed }
	if !slices.ContainsFunc(targets, sick) {
		return
	}
	all, err := debugpod.Standbys(ctx, s.cluster.clients.Kube, metav1.NamespaceAll)
	if err != nil {
		return // each node says why it is not asked
	}
	for i, t := range targets {
		if sick(t) && slices.ContainsFunc(all, func(b debugpod.Standby) bool { return b.Node == t.node }) {
			targets[i] = target{node: t.node}
		}
	}
}

// standbyWay asks a node's standby or, where that does not answer, takes the report
// that it kept.
type standbyWay struct {
	*source
	at   *cluster
	node string
	// noPod is why; nil: the user wants it so.
	noPod error
	asked bool
	kept  bool
}

func (s *source) askStandby(ctx context.Context, at *cluster, node string, noPod error) (collectFunc, error) {
	if _, err := debugpod.GetNode(ctx, at.clients.Kube, node); err != nil && noPod == nil {
		return nil, err
	}
	w := &standbyWay{source: s, at: at, node: node, noPod: noPod}
	return w.collect, nil
}

func (w *standbyWay) collect(ctx context.Context, req report.Request) (*report.NodeReport, error) {
	if w.kept {
		return nil, fmt.Errorf("node %q only gives the report that its standby kept: that is one sample", w.node)
	}
	r, attachErr := w.attach(ctx, req)
	if attachErr == nil || ctx.Err() != nil {
		return r, attachErr
	}
	w.progress.show("reading what the standby on node " + w.node + " kept")
	kept, err := debugpod.ReadKept(ctx, w.at.clients, w.node)
	if err != nil {
		all := fmt.Errorf("%w; %w; what is left: %s", attachErr, err, debugpod.OtherWay(w.env.kubectl(), w.node))
		if w.noPod != nil {
			all = fmt.Errorf("%w; %w", w.noPod, all)
		}
		return nil, all
	}
	w.kept = true
	w.progress.warn(w.said(kept, attachErr))
	return kept.Report, nil
}

// attach is the way that takes no runc.
func (w *standbyWay) attach(ctx context.Context, req report.Request) (*report.NodeReport, error) {
	standby, err := debugpod.FindStandby(ctx, w.at.clients.Kube, w.node, w.at.namespace)
	if err != nil {
		return nil, err
	}
	w.progress.show("asking the standby on node " + w.node)
	r, err := standby.Collect(ctx, w.at.clients, req, w.progress.show)
	if err != nil || w.asked {
		return r, err
	}
	w.asked = true
	if w.noPod != nil {
		w.progress.warn(fmt.Sprintf("%s; the answer comes from the standby, pod %s/%s, by attach", because(w.noPod), standby.Namespace, standby.Pod))
	}
	if skew := standby.Skew(w.env.version, w.env.kubectl()); skew != "" {
		w.progress.warn(skew)
	}
	return r, nil
}

// said names the depth that was reached, why, and how old the answer is.
func (w *standbyWay) said(kept debugpod.Kept, attachErr error) string {
	var b strings.Builder
	if w.noPod != nil {
		b.WriteString(because(w.noPod) + "; ")
	}
	fmt.Fprintf(&b, "%s; the answer is the last report that the standby kept on the node, ", because(attachErr))
	if kept.Age >= 0 {
		fmt.Fprintf(&b, "%s old", kept.Age.Round(time.Second))
	} else {
		b.WriteString("of unknown age")
	}
	if made := kept.Report.Probe.Standby; made != nil && len(made.Sick) > 0 {
		fmt.Fprintf(&b, " (kept as the node looked sick: %s)", strings.Join(made.Sick, ", "))
	}
	if v := kept.Report.Probe.Version; v != w.env.version {
		fmt.Fprintf(&b, "; it is of version %s, and this is %s", v, w.env.version)
	}
	return b.String()
}

// because is an error in a sentence with others.
func because(err error) string { return strings.TrimSpace(oneLine(err)) }
