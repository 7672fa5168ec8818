package debugpod

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func status(phase corev1.PodPhase, s corev1.ContainerState) corev1.PodStatus {
	return corev1.PodStatus{Phase: phase, StartTime: &metav1.Time{}, ContainerStatuses: []corev1.ContainerStatus{
		{Name: containerName, Image: "busybox", State: s}}}
}

func waitingFor(reason, message string) corev1.PodStatus {
	return status(corev1.PodPending, corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}})
}

func terminated(reason, message string, code int32) corev1.PodStatus {
	return status(corev1.PodFailed, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		Reason: reason, Message: message, ExitCode: code}})
}

func TestStateOfWaits(t *testing.T) {
	for name, c := range map[string]struct {
		status corev1.PodStatus
		want   string
	}{
		"not seen by the kubelet":  {corev1.PodStatus{Phase: corev1.PodPending}, "has not taken the pod up"},
		"taken up":                 {corev1.PodStatus{Phase: corev1.PodPending, StartTime: &metav1.Time{}}, "prepares the pod"},
		"creating":                 {waitingFor("ContainerCreating", ""), "ContainerCreating"},
		"slow runtime tries again": {waitingFor("CreateContainerError", "context deadline exceeded"), "context deadline exceeded"},
		"hostile message":          {waitingFor("ContainerCreating", "a\x1b[2Jb\nc\u202e"), `ContainerCreating: a\x1b[2Jb c\u202e`},
		"another container's end":  {corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{Name: "x"}}}, "taken"},
	} {
		t.Run(name, func(t *testing.T) {
			running, why, err := stateOf(&corev1.Pod{Spec: pod(testSpec(nil)).Spec, Status: c.status})
			if running || err != nil || !strings.Contains(why, c.want) {
				t.Errorf("got %v, %q, %v; want %q", running, why, err, c.want)
			}
		})
	}
}

func TestStateOfRunning(t *testing.T) {
	p := pod(testSpec(nil))
	p.Status = status(corev1.PodRunning, corev1.ContainerState{Running: &corev1.ContainerStateRunning{}})
	if running, _, err := stateOf(p); !running || err != nil {
		t.Errorf("got %v, %v", running, err)
	}
}

func TestStateOfStopsAtWhatCannotHeal(t *testing.T) {
	failed := func(reason, message string) corev1.PodStatus {
		return corev1.PodStatus{Phase: corev1.PodFailed, Reason: reason, Message: message}
	}
	for name, c := range map[string]struct {
		status corev1.PodStatus
		want   string
	}{
		"image is gone":        {waitingFor("ErrImageNeverPull", `Container image "x" is not present`), "may not use image docker.io/library/busybox:1.36"},
		"first failed pull":    {waitingFor("ErrImagePull", "no such host"), "cannot get image docker.io/library/busybox:1.36: name one that it has, or can pull, with --image"},
		"repeated failed pull": {waitingFor("ImagePullBackOff", "Back-off"), "--image-pull-secret"},
		"image name":           {waitingFor("InvalidImageName", ""), "correct --image"},
		"config":               {waitingFor("CreateContainerConfigError", "secret not found"), "secret not found"},
		"no shell, containerd": {terminated("StartError", `failed to create containerd task: exec: "sh": executable file not found in $PATH: unknown`, 128), "image docker.io/library/busybox:1.36 has no shell, choose another one with --image"},
		"no shell, CRI-O":      {waitingFor("CreateContainerError", "container create failed: executable file `sh` not found in $PATH"), "has no shell"},
		"no shell, dockershim": {waitingFor("RunContainerError", `exec: "sh": executable file not found in $PATH`), "has no shell"},
		"killed at once":       {terminated("OOMKilled", "", 137), "memory limit was too low"},
		"disk pressure":        {failed("Evicted", "The node was low on resource: ephemeral-storage."), "the node refused the pod: Evicted: The node was low"},
		"too many pods":        {failed("OutOfpods", "Node didn't have enough resource: pods"), "has no room for the pod, and nodedoc evicts nobody"},
		"CPU":                  {failed("OutOfcpu", ""), "OutOfcpu"},
		"admission plugin":     {failed("UnexpectedAdmissionError", "device plugin"), "UnexpectedAdmissionError: device plugin"},
		"node label mismatch":  {failed("NodeAffinity", ""), "NodeAffinity"},
		"node shuts down":      {failed("NodeShutdown", "Pod was rejected as the node is shutting down."), "shutting down"},
		"nothing said at all":  {failed("", ""), "no reason given"},
		"deadline":             {failed("DeadlineExceeded", "Pod was active on the node longer"), "outlived its deadline"},
		"ended by itself":      {corev1.PodStatus{Phase: corev1.PodSucceeded}, "ended before it was attached"},
		"a very long message":  {failed("Evicted", strings.Repeat("x", 10000)), "x…"},
		"message with a bell":  {failed("Evicted", "\a"), `\x07`},
		"waiting but pod failed": {func() corev1.PodStatus {
			s := waitingFor("ContainerCreating", "")
			s.Phase, s.Reason = corev1.PodFailed, "Evicted"
			return s
		}(), "Evicted"},
	} {
		t.Run(name, func(t *testing.T) {
			running, _, err := stateOf(&corev1.Pod{Spec: pod(testSpec(nil)).Spec, Status: c.status})
			if running || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, %v; want an error with %q", running, err, c.want)
			}
			if len(err.Error()) > maxMessage+200 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestStateOfDeletedPod(t *testing.T) {
	p := pod(testSpec(nil))
	p.DeletionTimestamp = &metav1.Time{}
	if _, _, err := stateOf(p); err == nil || !strings.Contains(err.Error(), "deleted") {
		t.Errorf("got %v", err)
	}
}

// What the node has is no help where admission has everything pulled.
func TestStateOfWherePullsAreForced(t *testing.T) {
	p := pod(testSpec(nil))
	p.Spec.Containers[0].ImagePullPolicy = corev1.PullAlways
	p.Status = waitingFor("ErrImagePull", "no such host")
	const want = "admission has it pull even what it has (imagePullPolicy Always): name one of a registry that it reaches"
	if _, _, err := stateOf(p); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestExhausted(t *testing.T) {
	for message, want := range map[string]string{
		"CreateContainerConfigError: write /var/lib/kubelet/pods/x/etc-hosts: no space left on device":   "a filesystem of the node is full",
		"mount failed: fork/exec /usr/bin/mount: resource temporarily unavailable":                       "no process IDs left",
		"runtime/cgo: pthread_create failed: Resource temporarily unavailable":                           "no process IDs left",
		"failed to create fsnotify watcher: too many open files":                                         "no file descriptors or inotify instances",
		"fork/exec /usr/bin/containerd-shim-runc-v2: cannot allocate memory":                             "no memory left",
		`failed to pull and unpack image: dial tcp: lookup registry on 10.0.0.10:53: server misbehaving`: "",
	} {
		if got := exhausted(message); got == "" != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", message, got, want)
		}
	}
}
