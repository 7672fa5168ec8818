package debugpod

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// maxMessage bounds what is quoted of a kubelet's message.
const maxMessage = 600

// stateOf says how far the pod is: running, or why not yet, or the error that
// no waiting will heal. What the kubelet wrote is escaped: the node is not to
// be trusted.
func stateOf(p *corev1.Pod) (running bool, why string, err error) {
	if p.DeletionTimestamp != nil {
		return false, "", fmt.Errorf("somebody deleted the pod")
	}
	if c := containerStatus(p); c != nil {
		switch {
		case c.State.Running != nil:
			return true, "", nil
		case c.State.Terminated != nil:
			return false, "", startError(p, c.State.Terminated)
		case c.State.Waiting != nil && p.Status.Phase == corev1.PodPending:
			return waiting(p, c.State.Waiting)
		}
	}
	switch p.Status.Phase {
	case corev1.PodFailed:
		return false, "", refused(p)
	case corev1.PodSucceeded:
		return false, "", fmt.Errorf("the container ended before it was attached")
	}
	if p.Status.StartTime == nil {
		return false, "the kubelet has not taken the pod up", nil
	}
	return false, "the kubelet prepares the pod", nil
}

func containerStatus(p *corev1.Pod) *corev1.ContainerStatus {
	for i := range p.Status.ContainerStatuses {
		if c := &p.Status.ContainerStatuses[i]; c.Name == containerName {
			return c
		}
	}
	return nil
}

func waiting(p *corev1.Pod, w *corev1.ContainerStateWaiting) (bool, string, error) {
	image, why := p.Spec.Containers[0].Image, quote(w.Reason, w.Message)
	switch w.Reason {
	case "ErrImageNeverPull":
		return false, "", &imageError{image: image, why: why}
	case "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed":
		return false, "", fmt.Errorf("the node cannot get image %s: %s: %s", image, imageAdvice(p), why)
	case "InvalidImageName":
		return false, "", fmt.Errorf("%s is no image's name: correct --image: %s", image, why)
	case "CreateContainerConfigError", "RunContainerError", "StartError", "PreCreateHookError", "PreStartHookError":
		return false, "", fmt.Errorf("the node cannot start a container of image %s: %s%s", image, why, noStarter(p, w.Message))
	case "CreateContainerError":
		// Also what a slow runtime causes; the kubelet then tries again.
		if hint := noStarter(p, w.Message); hint != "" {
			return false, "", fmt.Errorf("the node cannot create a container of image %s: %s%s", image, why, hint)
		}
	}
	return false, why, nil
}

// imageAdvice: we never ask for a pull of what the node has, admission may.
func imageAdvice(p *corev1.Pod) string {
	if p.Spec.Containers[0].ImagePullPolicy == corev1.PullAlways {
		return "admission has it pull even what it has (imagePullPolicy Always): name one of a registry that it reaches, any will do, " +
			"with --image (and --image-pull-secret)"
	}
	return "name one that it has, or can pull, with --image (and --image-pull-secret)"
}

// imageError says that the kubelet will not use an image that the node has.
// It may be gone, or since Kubernetes 1.34 its pull is under way for another
// pod, or was made with a secret that ours does not have.
type imageError struct{ image, why string }

func (e *imageError) Error() string {
	return fmt.Sprintf("the node may not use image %s, which it said it has (a pull of it may be under way, or it took a secret): "+
		"name another one with --image: %s", e.image, e.why)
}

// startError explains a container that ended before we reached it.
func startError(p *corev1.Pod, t *corev1.ContainerStateTerminated) error {
	return fmt.Errorf("the container ended at once: %s%s", describeEnd(t), noStarter(p, t.Message))
}

// describeEnd tells how a container ended.
func describeEnd(t *corev1.ContainerStateTerminated) string {
	s := fmt.Sprintf("%s, exit code %d", quote(t.Reason, t.Message), t.ExitCode)
	if t.Reason == "OOMKilled" {
		s += " (the kernel killed it: its memory limit was too low for this node, or the node is out of memory)"
	}
	return s
}

// noStarter recognises, in what runtimes, env and dynamic loaders say, that
// what starts the probe is not there.
func noStarter(p *corev1.Pod, message string) string {
	signs := []string{"executable file not found", "executable file `sh` not found", `exec: "sh"`, "no such file or directory",
		"No such file or directory", "can't execute", "error while loading shared libraries"}
	if !slices.ContainsFunc(signs, func(sign string) bool { return strings.Contains(message, sign) }) {
		return ""
	}
	image := p.Spec.Containers[0].Image
	switch startedBy(p) {
	case byHostShell:
		return fmt.Sprintf(": node %q has no shell of its own that serves: name an image with a shell by --image, or one that holds the probe "+
			"by --probe-image", p.Spec.NodeName)
	case byItself:
		return fmt.Sprintf(": image %s holds no probe at %s: name one made by cmd/nodedoc-probe/Dockerfile with --probe-image", image, probeInImage)
	}
	return fmt.Sprintf(": image %s has no shell, choose another one with --image (one that holds the probe with --probe-image)", image)
}

// refused explains a pod that the kubelet did not admit, or gave up on:
// Evicted, OutOfpods, OutOfcpu, NodeAffinity, UnexpectedAdmissionError, ….
func refused(p *corev1.Pod) error {
	why := quote(p.Status.Reason, p.Status.Message)
	switch reason := p.Status.Reason; {
	case reason == "DeadlineExceeded":
		return fmt.Errorf("the pod outlived its deadline: %s", why)
	case strings.HasPrefix(reason, "OutOf"):
		return fmt.Errorf("the node has no room for the pod, and nodedoc evicts nobody for it: %s", why)
	}
	return fmt.Errorf("the node refused the pod: %s", why)
}

// quote joins a reason and a message of the kubelet, escaped and bounded.
func quote(reason, message string) string {
	s := strings.Trim(reason+": "+strings.Join(strings.Fields(message), " "), ": ")
	if s == "" {
		return "no reason given"
	}
	if len(s) > maxMessage {
		s = s[:maxMessage] + "…"
	}
	return report.Escape(s)
}
