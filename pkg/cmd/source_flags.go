package cmd

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
)

// sourceFlags say where a report comes from: a node of the cluster, a file, or
// this very machine; and how the pod on the node is to be.
type sourceFlags struct {
	from, save   string
	join         bool
	local        bool
	image        string
	probeImage   string
	pullSecret   string
	profile      string
	startTimeout time.Duration
	showSecrets  bool
	podNamespace string
	standby      bool
	given        func(flag string) bool
}

// usualLife is that of a pod which answers once.
const usualLife = 15 * time.Minute

func newSourceFlags() *sourceFlags {
	return &sourceFlags{profile: string(debugpod.ProfileSysadmin), startTimeout: time.Minute}
}

func (f *sourceFlags) add(c *cobra.Command) {
	f.addSaved(c)
	f.addPod(c)
	fs := c.Flags()
	fs.BoolVar(&f.standby, "standby", false, "Start no pod: ask the node's standby (see the command of this name), which else is asked where no pod starts")
	fs.BoolVar(&f.local, "local", false, "Examine this machine, without any cluster (Linux)")
	fs.BoolVar(&f.join, "join", false, "With --from a report that a script made: ask the API server for the pods of that node, if it still is up since the same boot")
	fs.BoolVar(&f.showSecrets, "show-secrets", false, "Show command lines as they are; else likely secrets in them stay on the node")
}

// addSaved adds what keeps an answer and gives it again.
func (f *sourceFlags) addSaved(c *cobra.Command) {
	fs := c.Flags()
	f.given = fs.Changed
	fs.StringVar(&f.from, "from", "", "Answer from a saved report instead of a node; - reads stdin")
	fs.StringVar(&f.save, "save", "", "Also save the raw report, with what the API server said, to this file")
}

// addPod adds what says how the pod is to be.
func (f *sourceFlags) addPod(c *cobra.Command) {
	f.addNamespace(c)
	fs := c.Flags()
	fs.StringVar(&f.image, "image", "", "Image for the pod, any with a shell; default: one that the node already has")
	fs.StringVar(&f.probeImage, "probe-image", "", "Image for the pod that holds the probe itself (cmd/nodedoc-probe/Dockerfile)")
	fs.StringVar(&f.pullSecret, "image-pull-secret", "", "Secret in the pod's namespace to pull --image or --probe-image with")
	fs.StringVar(&f.profile, "profile", f.profile, "What the pod may do: sysadmin (privileged) or minimal (SYS_PTRACE, DAC_READ_SEARCH, SYSLOG)")
	fs.DurationVar(&f.startTimeout, "start-timeout", f.startTimeout, "How long to wait for the pod to start; 20s if the node is not ready and this is not given")
	must(c.RegisterFlagCompletionFunc("profile", cobra.FixedCompletions(profiles(), cobra.ShellCompDirectiveNoFileComp)))
}

func (f *sourceFlags) addNamespace(c *cobra.Command) {
	f.given = c.Flags().Changed
	c.Flags().StringVar(&f.podNamespace, "pod-namespace", "", "Namespace that the pod runs in; default: that of -n, else of the kubeconfig's context")
}

func profiles() []string {
	return []string{string(debugpod.ProfileSysadmin), string(debugpod.ProfileMinimal)}
}

func (f *sourceFlags) validate() error {
	switch {
	case f.local && f.from != "":
		return errors.New("--local and --from exclude each other")
	case f.join && f.from == "":
		return errors.New("--join goes with --from")
	case f.standby && !f.remote():
		return errors.New("--standby asks a node of the cluster: --local and --from do not go with it")
	case !slices.Contains(profiles(), f.profile):
		return fmt.Errorf("--profile is sysadmin or minimal, not %q", f.profile)
	case f.save == "-", f.save == "" && f.given != nil && f.given("save"):
		return errors.New("--save needs a file's name; -o json prints the answer")
	case f.from == "" && f.given != nil && f.given("from"):
		return errors.New("--from needs a file's name, or - for stdin")
	case f.image != "" && f.probeImage != "":
		return errors.New("--image and --probe-image exclude each other")
	case f.pullSecret != "" && f.image == "" && f.probeImage == "":
		return errors.New("--image-pull-secret goes with --image or --probe-image")
	case f.startTimeout <= 0:
		return fmt.Errorf("--start-timeout must be positive, not %s", f.startTimeout)
	}
	return nil
}

// remote says whether a node of the cluster is asked.
func (f *sourceFlags) remote() bool { return !f.local && f.from == "" }

// node takes the node's name off args, where a node is asked for.
func (f *sourceFlags) node(args *[]string) (string, error) {
	if !f.remote() {
		return "", nil
	}
	if len(*args) == 0 {
		return "", errors.New("which node? name one (kubectl get nodes), or use --local or --from FILE")
	}
	node := (*args)[0]
	*args = (*args)[1:]
	return node, nil
}
