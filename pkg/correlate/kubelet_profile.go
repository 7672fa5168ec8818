package correlate

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/google/pprof/profile"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// KubeletProfile is where the kubelet's CPU went.
type KubeletProfile struct {
	// Seconds of wall time, and of CPU in it.
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpuSeconds"`
	Samples    int64   `json:"samples"`
	// Activities are what it was doing, each sample in one; Functions are those that ran.
	Activities []ProfileActivity `json:"activities"`
	Functions  []ProfileFunction `json:"functions"`
}

// ProfileActivity is something that the kubelet does.
type ProfileActivity struct {
	Name    string  `json:"name"`
	Percent float64 `json:"percent"` // of all samples' CPU
	// In are the functions that tell so, most first.
	In []ProfileFunction `json:"in"`
}

// ProfileFunction is a function with its share of all samples' CPU.
type ProfileFunction struct {
	Name    string  `json:"name"`
	Percent float64 `json:"percent"`
}

const (
	maxUnpackedProfile   = 64 << 20
	maxProfileFunctions  = 20
	maxActivityFunctions = 3
)

// Activities that rules know.
const (
	ActivityUnmounting = "unmounting volumes"
	ActivityMountTable = "reading the mount table"
)

type activity struct {
	name  string
	parts []string // of a function's name with its package
}

// activities in the order to try: a stack is the first that any of its functions tells.
func activities() []activity {
	return []activity{
		{ActivityUnmounting, []string{"GenerateUnmount", "UnmountDevice", "UnmountVolume", "GetDeviceMountRefs", ".TearDown", ".unmountVolumes", "nodeUnstage", "NodeUnpublish", "(*reconciler).unmount"}},
		{"cleaning up orphaned volumes and pods", []string{"cleanupOrphanedPodDirs", "cleanOrphanVolumes", "cleanupMounts", "HandlePodCleanups", "(*reconciler).sync", "reconstructVolume", "reconstructStates"}},
		{"mounting volumes", []string{"GenerateMount", "MountDevice", "MountVolume", ".SetUp", "(*reconciler).mount"}},
		{"measuring volumes", []string{"volumeStatCalculator", "pkg/kubelet/stats.(*fsResourceAnalyzer", "volume.(*metricsStatFS", "volume.(*metricsDu", "volume/util/fs."}},
		{"volume manager, other", []string{"pkg/kubelet/volumemanager", "kubernetes/pkg/volume"}},
		{"PLEG: looking which containers have changed", []string{"pkg/kubelet/pleg"}},
		{"syncing pods", []string{"(*podWorkers)", "(*Kubelet).SyncPod", "(*Kubelet).syncPod", "(*Kubelet).SyncTerminat", "kuberuntime.(*kubeGenericRuntimeManager).SyncPod"}},
		{"probes of containers", []string{"pkg/kubelet/prober", "kubernetes/pkg/probe"}},
		{"eviction manager", []string{"pkg/kubelet/eviction"}},
		{"garbage collection of containers and images", []string{"GarbageCollect", "pkg/kubelet/images", "containerGC"}},
		{"stats and metrics (cadvisor)", []string{"google/cadvisor", "pkg/kubelet/stats", "pkg/kubelet/server/stats", "kubelet/metrics/collectors", "prometheus/client_golang"}},
		{"cgroups and devices", []string{"pkg/kubelet/cm", "opencontainers/cgroups", "opencontainers/runc"}},
		{"profiling itself", []string{"runtime/pprof", "net/http/pprof"}},
		{"its own HTTP server", []string{"pkg/kubelet/server"}},
		{"housekeeping and the main loop", []string{"(*Kubelet).housekeeping", "(*Kubelet).syncLoop"}},
		{"status of node and pods", []string{"pkg/kubelet/status", "tryUpdateNodeStatus", "pkg/kubelet/nodestatus", "component-helpers/apimachinery/lease"}},
		{"calls to the runtime (gRPC)", []string{"cri-client", "pkg/kubelet/cri/remote", "pkg/kubelet/kuberuntime", "google.golang.org/grpc"}},
		{ActivityMountTable, []string{"k8s.io/mount-utils", "moby/sys/mountinfo", "kubernetes/pkg/util/mount"}},
		{"logging", []string{"k8s.io/klog", "go-logr", "component-base/logs", "pkg/kubelet/logs"}},
		{"the API server: requests, watches, JSON", []string{"k8s.io/client-go", "k8s.io/apimachinery", "k8s.io/api/", "encoding/json", "json-iterator", "net/http", "golang.org/x/net/http2", "crypto/tls"}},
		{"kubelet, other", []string{"kubernetes/pkg/kubelet", "k8s.io/kubernetes"}},
		{"Go's garbage collector", []string{"runtime.gcBgMarkWorker", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcAssistAlloc"}},
		{"Go's scheduler", []string{"runtime.mcall", "runtime.mstart", "runtime.schedule", "runtime.sysmon", "runtime.morestack"}},
	}
}

var errNoCPU = errors.New("the kubelet's profile has no CPU time in it")

// readProfile reads a CPU profile of pprof's, which a node may have made up.
func readProfile(packed []byte) (*KubeletProfile, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("failed to unpack the kubelet's profile: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(z, maxUnpackedProfile+1))
	if err != nil || len(data) > maxUnpackedProfile {
		return nil, fmt.Errorf("failed to unpack the kubelet's profile: %w", cmp.Or(err, errors.New("it is too large")))
	}
	p, err := profile.ParseUncompressed(data)
	if err != nil {
		return nil, fmt.Errorf("failed to read the kubelet's profile: %w", err)
	}
	if err := p.CheckValid(); err != nil {
		return nil, fmt.Errorf("failed to read the kubelet's profile: %w", err)
	}
	value := slices.IndexFunc(p.SampleType, func(t *profile.ValueType) bool { return t.Type == "cpu" && t.Unit == "nanoseconds" })
	if value < 0 {
		return nil, errNoCPU
	}
	s := sums{known: activities(), activities: map[string]int64{}, in: map[string]map[string]int64{}, functions: map[string]int64{}}
	for _, sample := range p.Sample {
		s.add(sample, value)
	}
	return s.profile(float64(p.DurationNanos) / 1e9), nil
}

// sums of CPU time in nanoseconds.
type sums struct {
	known          []activity
	total, samples int64
	activities     map[string]int64
	in             map[string]map[string]int64
	functions      map[string]int64
}

func (s *sums) add(sample *profile.Sample, value int) {
	nanos := sample.Value[value]
	if nanos <= 0 || nanos > 1<<50 || s.total > 1<<60 {
		return
	}
	s.total += nanos
	s.samples++
	var stack []string // the innermost first
	for _, l := range sample.Location {
		for _, line := range l.Line {
			if line.Function != nil {
				stack = append(stack, line.Function.Name)
			}
		}
	}
	if len(stack) > 0 {
		s.functions[stack[0]] += nanos
	}
	name, function := activityOf(s.known, stack)
	s.activities[name] += nanos
	if s.in[name] == nil {
		s.in[name] = map[string]int64{}
	}
	s.in[name][function] += nanos
}

// activityOf is what a stack does, and the innermost function that tells so.
func activityOf(known []activity, stack []string) (name, function string) {
	for _, a := range known {
		for _, f := range stack {
			if slices.ContainsFunc(a.parts, func(part string) bool { return strings.Contains(f, part) }) {
				return a.name, f
			}
		}
	}
	if len(stack) == 0 {
		return "other", ""
	}
	return "other", stack[len(stack)-1]
}

func (s *sums) profile(seconds float64) *KubeletProfile {
	p := &KubeletProfile{Seconds: max(seconds, 0), CPUSeconds: float64(s.total) / 1e9, Samples: s.samples, Activities: []ProfileActivity{}, Functions: s.top(s.functions, maxProfileFunctions)}
	for _, f := range s.top(s.activities, len(s.activities)) {
		p.Activities = append(p.Activities, ProfileActivity{Name: f.Name, Percent: f.Percent, In: s.top(s.in[f.Name], maxActivityFunctions)})
	}
	return p
}

// top are those with the most time.
func (s *sums) top(of map[string]int64, most int) []ProfileFunction {
	names := slices.SortedFunc(maps.Keys(of), func(a, b string) int { return cmp.Or(cmp.Compare(of[b], of[a]), cmp.Compare(a, b)) })
	names = names[:min(len(names), most)]
	list := make([]ProfileFunction, 0, len(names))
	for _, name := range names {
		list = append(list, ProfileFunction{Name: report.Escape(name), Percent: float64(of[name]) / float64(max(s.total, 1)) * 100})
	}
	return list
}
