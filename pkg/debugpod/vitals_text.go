package debugpod

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func (v *vitals) ready() bool {
	return v.node == nil || notReady(v.node) == ""
}

// conditions are Ready, and whatever else is out of order. A condition says when it
// last changed, and why: "PLEG is not healthy: pleg was last seen active 5m ago".
func (v *vitals) conditions() (lines []string) {
	if v.node == nil {
		return []string{fmt.Sprintf("the node's state: %v", v.nodeErr)}
	}
	for _, c := range v.node.Status.Conditions {
		isReady := c.Type == corev1.NodeReady
		if !isReady && c.Status == corev1.ConditionFalse {
			continue
		}
		line := fmt.Sprintf("condition %s is %s%s", report.Escape(string(c.Type)), report.Escape(string(c.Status)), v.since(c.LastTransitionTime.Time))
		if !isReady || c.Status != corev1.ConditionTrue {
			line += ": " + quote(c.Reason, c.Message)
		}
		lines = append(lines, line)
	}
	return lines
}

func (v *vitals) endpoints() []string {
	return []string{
		"kubelet, healthz: " + endpoint(v.healthz, v.healthzTold),
		"runtime's daemon, by the kubelet's runningpods: " + endpoint(v.running, v.runningTold),
		"its shims, by the kubelet's stats/summary: " + endpoint(v.summary, v.summaryTold),
	}
}

func endpoint(err error, told bool) string {
	switch {
	case err == nil:
		return "answers"
	case apierrors.IsForbidden(err):
		return "not asked, the right to get nodes/proxy is missing"
	case told:
		return "answers with an error: " + quote("", err.Error())
	}
	return quote("", err.Error())
}

// waiting are other pods there whose containers are not made, or that do not go.
func (v *vitals) waiting(own *corev1.Pod) (lines []string) {
	if v.podsErr != nil {
		return nil
	}
	var creating, terminating []string
	for i := range v.pods {
		p := &v.pods[i]
		since := v.now.Sub(p.CreationTimestamp.Time)
		name := report.Escape(p.Namespace + "/" + p.Name)
		switch {
		case p.UID == own.UID:
		case p.DeletionTimestamp != nil && v.now.After(p.DeletionTimestamp.Time): // its grace is over
			terminating = append(terminating, name+v.since(p.DeletionTimestamp.Time))
		case p.DeletionTimestamp == nil && p.Status.Phase == corev1.PodPending && since > vitalsAfter:
			creating = append(creating, name+v.since(p.CreationTimestamp.Time)+creatingWhy(p))
		}
	}
	for what, pods := range map[string][]string{"waiting for their containers": creating, "past their grace, and still there": terminating} {
		if len(pods) > 0 {
			lines = append(lines, fmt.Sprintf("%s: %s, %s", what, english.Plural(len(pods), "other pod", ""), named(pods)))
		}
	}
	slices.Sort(lines)
	return lines
}

// creatingWhy is why the first container waits.
func creatingWhy(p *corev1.Pod) string {
	for _, c := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
		if c.State.Waiting != nil && c.State.Waiting.Reason != "PodInitializing" {
			return " (" + quote(c.State.Waiting.Reason, c.State.Waiting.Message) + ")"
		}
	}
	return ""
}

func named(names []string) string {
	text := strings.Join(names[:min(len(names), vitalsNamed)], ", ")
	if more := len(names) - vitalsNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// nodeEvents are the newest of the last hour, the newest first.
func (v *vitals) nodeEvents() (lines []string) {
	recent := slices.DeleteFunc(slices.Clone(v.events), func(e corev1.Event) bool { return v.now.Sub(eventTime(e)) > time.Hour })
	slices.SortStableFunc(recent, func(a, b corev1.Event) int { return eventTime(b).Compare(eventTime(a)) })
	for _, e := range recent[:min(len(recent), vitalsNamed)] {
		lines = append(lines, fmt.Sprintf("event%s: %s", strings.Replace(v.since(eventTime(e)), " for ", " ", 1)+" ago", quote(e.Reason, e.Message)))
	}
	return lines
}
