package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const kubeletLong = `Why the kubelet is busy: its CPU and memory, and the container runtime's, beside
those on other nodes; what kubelet, runtime and kernel have logged, grouped by
pattern; and with --profile what the kubelet's CPU goes to.

Other nodes tell by the kubelet's own metrics, through the API server's proxy
(nodes/proxy): no pod runs there. OTHERS is their median.

In a pattern "…" stands for a name, path or id and "#" for a number. Lines are read
from the journal's files, else from log files; where neither is there, from the
kubelet's own endpoint. Rates and times (UTC) are by the node's clock.

--no-pod asks only through the API server: for a node on which no pod starts.`

const kubeletExample = `  # What does the kubelet of this node do that others do not?
  kubectl nodedoc kubelet node-43

  # Where does its CPU go?
  kubectl nodedoc kubelet node-43 --profile 10s

  # The last hour, all patterns
  kubectl nodedoc kubelet node-43 --since 1h --top 0

  # No pod starts there any more
  kubectl nodedoc kubelet node-43 --no-pod --profile 10s

  # On this machine, without a cluster
  sudo kubectl nodedoc kubelet --local`

const (
	// kubeletTop patterns of each log are shown.
	kubeletTop = 10
	// kubeletLogBytes of each log are read at most.
	kubeletLogBytes = 2 << 20
	// longestProfile: the API server's own proxies end answers that take longer.
	longestProfile = time.Minute
)

type kubeletOptions struct {
	env
	source      *sourceFlags
	output      *outputFlags
	node        string
	since       time.Duration
	interval    time.Duration
	cpuProfile  time.Duration
	top         int
	topGiven    bool
	noPod       bool
	neighbours  bool
	profileFlag *profileValue
}

func newKubelet(e env) *cobra.Command {
	o := &kubeletOptions{env: e, source: newSourceFlags(), output: newOutputFlags(), since: 10 * time.Minute, interval: 3 * time.Second, top: kubeletTop, neighbours: true}
	c := &cobra.Command{
		Use:               "kubelet NODE",
		Short:             "Why the kubelet is busy: its CPU and memory beside other nodes', its log by pattern, its profile",
		Long:              kubeletLong,
		Example:           kubeletExample,
		ValidArgsFunction: e.completeNode,
		RunE:              steps(o),
	}
	fs := c.Flags()
	fs.DurationVar(&o.since, "since", o.since, "How far back logs are read")
	fs.DurationVar(&o.interval, "interval", o.interval, "Time between the two looks that CPU is computed from")
	fs.BoolVar(&o.neighbours, "neighbours", o.neighbours, "Ask the kubelets of other nodes, 12 at most, for their metrics")
	fs.BoolVar(&o.noPod, "no-pod", false, "Start no pod: ask the kubelet through the API server only")
	fs.IntVar(&o.top, "top", o.top, "Patterns of each log to show, 0 for all; -o json and the like show all unless this is given")
	o.source.add(c)
	o.output.add(c)
	addProfile(c, o)
	return c
}

// addProfile has --profile also take a duration: what other commands call so, the rights
// of the pod, stays.
func addProfile(c *cobra.Command, o *kubeletOptions) {
	o.profileFlag = &profileValue{rights: &o.source.profile, cpu: &o.cpuProfile}
	flag := c.Flags().Lookup("profile")
	flag.Value = o.profileFlag
	flag.Usage = "A duration: profile the kubelet's CPU for so long, such as 10s. Else what the pod may do: sysadmin (privileged) or minimal (SYS_PTRACE, DAC_READ_SEARCH, SYSLOG). May be given twice"
}

// profileValue is a duration, or a profile of the pod.
type profileValue struct {
	rights *string
	cpu    *time.Duration
}

// Set takes a duration for that of a CPU profile.
func (v *profileValue) Set(text string) error {
	if d, err := time.ParseDuration(text); err == nil {
		*v.cpu = d
		if d < time.Second || d > longestProfile {
			return fmt.Errorf("a CPU profile takes between 1s and %s, not %s", longestProfile, d)
		}
		return nil
	}
	*v.rights = text
	return nil
}

// String is the pod's profile, which has a default.
func (v *profileValue) String() string {
	if v.rights == nil {
		return ""
	}
	return *v.rights
}

// Type is that of the value in help.
func (v *profileValue) Type() string { return "string" }

func (o *kubeletOptions) complete(c *cobra.Command, args []string) (err error) {
	o.topGiven = c.Flags().Changed("top")
	o.node, err = o.source.oneNode(c.Name(), args)
	return err
}

func (o *kubeletOptions) validate() error {
	const leastSince, mostSince = time.Second, 7 * 24 * time.Hour
	switch {
	case o.since < leastSince || o.since > mostSince:
		return fmt.Errorf("--since must be between %s and %s, not %s", leastSince, mostSince, o.since)
	case o.interval < 500*time.Millisecond || o.interval > time.Minute:
		return fmt.Errorf("--interval must be between 500ms and 1m, not %s", o.interval)
	case o.top < 0:
		return fmt.Errorf("--top must be 0 or more, not %d", o.top)
	case o.cpuProfile > 0 && !o.source.remote():
		return errors.New("--profile with a duration asks the kubelet through the API server: it does not go with --local or --from")
	case o.noPod && !o.source.remote():
		return errors.New("--no-pod asks a node of the cluster: --local and --from do not go with it")
	case o.noPod && o.source.standby:
		return errors.New("--no-pod and --standby exclude each other")
	}
	return errors.Join(o.source.validate(), o.output.validate())
}

// request also looks for leaked mounts, which make a kubelet busy.
func (o *kubeletOptions) request() report.Request {
	req := report.NewRequest(report.CollectProcesses, report.CollectContainers, report.CollectKubelet, report.CollectLogs, report.CollectMounts, report.CollectDevices)
	req.IntervalMillis, req.LogSeconds, req.LogBytes, req.PackedLogs = o.interval.Milliseconds(), int64(o.since.Seconds()), kubeletLogBytes, true
	return req
}

func (o *kubeletOptions) run(ctx context.Context) error {
	s := source{flags: o.source, env: o.env, progress: newProgress(o.streams.ErrOut), storage: newStorage(),
		kubelets: &inventory.KubeletQuestions{Interval: o.interval, Profile: o.cpuProfile, Since: o.since, Alone: !o.neighbours}}
	if o.noPod {
		return o.askOnly(ctx, &s)
	}
	return s.answer(ctx, o.node, o.request(), o.print)
}
