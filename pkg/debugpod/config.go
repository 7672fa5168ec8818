package debugpod

import (
	"context"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Profile is how much the debug container may do on the node.
type Profile string

const (
	// ProfileSysadmin is a privileged container, as the profile of this name
	// of kubectl debug.
	ProfileSysadmin Profile = "sysadmin"
	// ProfileMinimal keeps the three capabilities that reading takes.
	ProfileMinimal Profile = "minimal"
)

// Clients reach one cluster. REST serves the attached stream only.
type Clients struct {
	Kube kubernetes.Interface
	REST *rest.Config
}

// Config is what a session is asked to be. Zero durations mean the defaults.
type Config struct {
	Node      string
	Namespace string
	// Image overrides the choice among the images that the node has.
	Image string
	// ProbeImage is an image that holds the probe: nothing is delivered, and
	// no shell is needed.
	ProbeImage string
	PullSecret string
	// refused are images that the node says it has and does not use.
	refused []string
	Profile Profile
	// Version of this program, noted on the pod.
	Version string
	// Kubectl starts the commands that messages tell the user to run by hand,
	// e.g. "kubectl --context=prod". Empty means "kubectl".
	Kubectl string
	// Survey, if set, is what sessions on many nodes need not ask again.
	Survey *Survey

	// CheckTimeout bounds everything up to and including the pod's creation:
	// a credential plugin or a webhook may never answer.
	CheckTimeout time.Duration
	// StartTimeout bounds the wait for the container to run. By default a node
	// that is not ready has less time.
	StartTimeout time.Duration
	// DeliverTimeout is how long the stream may stand still while the probe
	// is delivered, and how long the probe may take to say hello.
	DeliverTimeout time.Duration
	// ReportTimeout bounds each report, on top of the request's interval.
	ReportTimeout time.Duration
	// RemoveTimeout bounds the wait for the pod to be gone.
	RemoveTimeout time.Duration
	// Lifetime after which the kubelet ends the pod, whatever became of us.
	Lifetime time.Duration

	// Record, if set, makes it the pod of a recorder, see Session.Record.
	Record *Recording

	// Elsewhere, if set, says whether the node can be asked in another way. It is asked
	// where a pod may never start, or does not start soon; if so, Start gives up with
	// an ElsewhereError.
	Elsewhere func(context.Context) bool

	// Created, if set, is told the command that removes the pod by hand just
	// before the pod is created, for whoever must leave without waiting.
	Created func(removeByHand string)
}

func (c Config) withDefaults() Config {
	if c.Profile == "" {
		c.Profile = ProfileSysadmin
	}
	if c.Kubectl == "" {
		c.Kubectl = "kubectl"
	}
	if c.Created == nil {
		c.Created = func(string) {}
	}
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&c.CheckTimeout, 45 * time.Second},
		{&c.DeliverTimeout, 30 * time.Second},
		{&c.ReportTimeout, 2 * time.Minute},
		{&c.RemoveTimeout, 30 * time.Second},
		{&c.Lifetime, 15 * time.Minute},
	} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	return c
}
