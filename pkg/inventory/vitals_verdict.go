package inventory

// OwnPod is what became of a pod that the caller has made on the node, and that does
// not start.
type OwnPod struct {
	// TakenUp by the kubelet; NoSandbox: by its word it has made none.
	TakenUp, NoSandbox bool
}

// Verdict is where starts of pods hang, as far as these tell; "": they do not. own is
// nil where nothing was tried: then a late answer may be a slow node's.
func (v *Vitals) Verdict(own *OwnPod) string {
	if v.Unanswered != "" {
		return APIServerFails + v.Unanswered
	}
	if own == nil {
		return v.verdictAlone()
	}
	kubelet, daemon, shims := v.endpoint(endpointHealthz), v.endpoint(endpointPods), v.endpoint(endpointSummary)
	switch {
	case kubelet.State == Forbidden:
		return ""
	case !kubelet.told():
		return "the kubelet does not answer, or the API server does not reach it"
	case daemon.State == Late:
		return "the kubelet answers, and its container runtime does not: the runtime's daemon (containerd, docker, cri-o) hangs"
	case daemon.State == Answers && (shims.State == Late || own.NoSandbox || v.sandboxesWait()):
		return noContainerStarts
	case shims.State == Late:
		return "the kubelet answers, and its container runtime does not: the runtime's daemon, a shim or runc hangs"
	case !own.TakenUp:
		return "the kubelet answers and does not take the pod up: its loop over pods (syncloop) stands still"
	}
	return ""
}

// APIServerFails goes before the error of an API server that says nothing of any node.
const APIServerFails = "the API server is what fails: "

const noContainerStarts = "the kubelet and the runtime's daemon answer, and no container starts: runc, a shim or the network plugin hangs or is slow"

// leaseFresh is the age of a lease that a kubelet lets it reach, in seconds: it renews
// it at every quarter of 40 s, and is given some time.
const leaseFresh = 15

// verdictAlone is by what is known without a pod that was tried.
func (v *Vitals) verdictAlone() string {
	kubelet, daemon, shims := v.endpoint(endpointHealthz), v.endpoint(endpointPods), v.endpoint(endpointSummary)
	switch {
	case kubelet.State == Forbidden:
		return ""
	case kubelet.State == Late && v.Lease != nil && v.Time-v.Lease.Renewed <= leaseFresh:
		return "the kubelet has just renewed its lease, and does not answer in time: the node is very slow, or the kubelet hangs since then"
	case !kubelet.told(), daemon.State == Late:
		return v.Verdict(&OwnPod{TakenUp: true})
	case v.sandboxesWait():
		return noContainerStarts
	case v.plegAge() > plegUnhealthy:
		return "the kubelet answers, and its look at all containers (PLEG) stands still: the node is not ready, or is about to be"
	case shims.State == Late && !v.Ready():
		return "the kubelet answers, and its container runtime does not: the runtime's daemon, a shim or runc hangs"
	}
	return ""
}

// Ready says that the node is, as far as is known.
func (v *Vitals) Ready() bool {
	if v.State == nil {
		return true
	}
	for _, c := range v.State.Conditions {
		if c.Type == "Ready" {
			return c.Status == "True"
		}
	}
	return true
}

// sandboxSeconds is longer than a sandbox takes on a node that is merely busy.
const sandboxSeconds = 60

// sandboxesWait: other pods have had none for long.
func (v *Vitals) sandboxesWait() bool {
	for _, p := range v.Stuck {
		if p.NoSandbox && v.Time-p.Since > sandboxSeconds {
			return true
		}
	}
	return false
}

// plegAge is for how many seconds the kubelet has not looked at all containers; 0: it is
// not known. Both times are by its own clock.
func (v *Vitals) plegAge() int64 {
	if v.Metrics == nil || v.Metrics.PLEGSeen == 0 || v.Metrics.Time == 0 {
		return 0
	}
	return max(v.Metrics.Time-v.Metrics.PLEGSeen, 0)
}
