package debugpod

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Recording is what a recorder is asked to do.
type Recording struct{ For, Every time.Duration }

const (
	annotationFor   = "nodedoc.io/record-for"
	annotationEvery = "nodedoc.io/record-every"
	// startRoom is added to a recorder's life: the pod's deadline counts from its
	// start, and recording begins once the probe is there. What it has by its own end
	// it leaves in its log; the deadline would not let it.
	startRoom = 20 * time.Minute
	// keepRecording is how long a recorder that has ended is left to be read.
	keepRecording = 48 * time.Hour
)

// Lifetime is the deadline of a recorder's pod.
func (r Recording) Lifetime() time.Duration { return r.For + startRoom }

func (r Recording) annotate(annotations map[string]string, node string) {
	annotations[annotationAbout] = "records node " + node + ", ends by itself; `kubectl nodedoc history` reads it, `kubectl nodedoc record --stop` ends it"
	annotations[annotationFor], annotations[annotationEvery] = r.For.String(), r.Every.String()
}

// recorderName is the same for a node at any time: the API server itself sees to
// it that there is one recorder of a node in a namespace. A long node's name is cut, and
// told from others by its hash.
func recorderName(node string) string {
	const prefix = appName + "-recorder-"
	sum := sha256.Sum256([]byte(node))
	hash := hex.EncodeToString(sum[:4])
	short := strings.ReplaceAll(node, ".", "-")
	short = short[:min(len(short), maxName-len(prefix)-len(hash)-1)]
	return prefix + strings.Trim(short, "-") + "-" + hash
}

// Recorder is a pod that records, or has recorded, a node.
type Recorder struct {
	Node, Namespace, Pod string
	Recording
	// Since its pod has been there, by the API server's clock. Ended is when its
	// container did; nil: it has not.
	Since time.Time
	Ended *time.Time
	// Running: its container runs. Why says why not, "" if it ended in order.
	Running bool
	Why     string

	pod *corev1.Pod
}

func isRecorder(p *corev1.Pod) bool { return p.Labels[labelRecorder] == "true" }

func asRecorder(p *corev1.Pod) Recorder {
	r := Recorder{Node: p.Spec.NodeName, Namespace: p.Namespace, Pod: p.Name, Since: p.CreationTimestamp.Time, pod: p}
	r.For, _ = time.ParseDuration(p.Annotations[annotationFor])
	r.Every, _ = time.ParseDuration(p.Annotations[annotationEvery])
	c := containerStatus(p)
	switch {
	case c != nil && c.State.Terminated != nil:
		t := c.State.Terminated
		r.Ended = &t.FinishedAt.Time
		switch {
		case p.Status.Reason != "": // its container ended for that
			r.Why = quote(p.Status.Reason, p.Status.Message)
		case t.ExitCode != 0:
			r.Why = describeEnd(t)
		}
	case p.Status.Phase == corev1.PodFailed, p.Status.Phase == corev1.PodSucceeded:
		r.Ended, r.Why = &r.Since, quote(p.Status.Reason, p.Status.Message)
	case p.DeletionTimestamp != nil:
		r.Why = "its pod is being deleted"
	case c != nil && c.State.Running != nil:
		r.Running = true
	default:
		r.Why = "its pod has not started"
	}
	return r
}

// Live says whether it records, or is about to.
func (r Recorder) Live() bool { return r.Ended == nil && r.pod.DeletionTimestamp == nil }

// String says what a recorder is, in a line.
func (r Recorder) String() string {
	const form = "2006-01-02 15:04 MST"
	s := fmt.Sprintf("records node %s since %s, until %s", r.Node, r.Since.Local().Format(form), r.Since.Add(r.For).Local().Format(form))
	if r.Ended != nil {
		s = fmt.Sprintf("recorded node %s from %s to %s", r.Node, r.Since.Local().Format(form), r.Ended.Local().Format(form))
	}
	if r.Why != "" {
		s += " (" + report.Clean(r.Why) + ")"
	}
	return s
}

// recordingIsOld: nobody has come for it, or it never was one.
func recordingIsOld(p *corev1.Pod, now time.Time) bool {
	r := asRecorder(p)
	if r.Ended == nil {
		return isOver(p, now)
	}
	return now.Sub(*r.Ended) > keepRecording
}

// ErrNoRecorder says that a node has none.
var ErrNoRecorder = errors.New("nothing records this node")

// GetRecorder finds a node's recorder in a namespace; ErrNoRecorder: there is none.
func GetRecorder(ctx context.Context, client kubernetes.Interface, namespace, node string) (Recorder, error) {
	p, err := within(ctx, func(ctx context.Context) (*corev1.Pod, error) {
		return client.CoreV1().Pods(namespace).Get(ctx, recorderName(node), metav1.GetOptions{})
	})
	switch {
	case apierrors.IsNotFound(err):
		return Recorder{}, ErrNoRecorder
	case err != nil:
		return Recorder{}, fmt.Errorf("failed to look for a recorder of node %q in namespace %q: %w", node, namespace, err)
	case !isRecorder(p) || p.Spec.NodeName != node:
		return Recorder{}, fmt.Errorf("pod %s/%s is no recorder of node %q, but has its name: choose another namespace with --pod-namespace", namespace, p.Name, node)
	}
	return asRecorder(p), nil
}

// Recorders lists those of a namespace, "" for all, by node.
func Recorders(ctx context.Context, client kubernetes.Interface, namespace string) ([]Recorder, error) {
	list, err := within(ctx, func(ctx context.Context) (*corev1.PodList, error) {
		return client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{
			LabelSelector: labels.Set{labelName: appName, labelManagedBy: managedBy, labelRecorder: "true"}.String(),
		})
	})
	if err != nil {
		return nil, fmt.Errorf("failed to list the recorders: %w", err)
	}
	var all []Recorder
	for i := range list.Items {
		all = append(all, asRecorder(&list.Items[i]))
	}
	slices.SortFunc(all, func(a, b Recorder) int {
		return strings.Compare(a.Node+"\x00"+a.Namespace, b.Node+"\x00"+b.Namespace)
	})
	return all, nil
}

// Stop deletes a recorder, with what it recorded, and waits until its pod is gone.
func (r Recorder) Stop(client kubernetes.Interface, kubectl string, timeout time.Duration) error {
	err := leftover{client: client, namespace: r.Namespace, name: r.Pod, nonce: r.pod.Labels[labelSession], uid: r.pod.UID, kubectl: kubectl}.remove(timeout)
	if err != nil {
		return &PodLeftError{err}
	}
	return nil
}
