package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // credentials of cloud providers and OIDC, as kubectl has them
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

// sourceFlags say where a report comes from: a node of the cluster, a file, or
// this very machine; and how the pod on the node is to be.
type sourceFlags struct {
	from, save   string
	local        bool
	image        string
	pullSecret   string
	profile      string
	startTimeout time.Duration
	showSecrets  bool
}

func newSourceFlags() *sourceFlags {
	return &sourceFlags{profile: string(debugpod.ProfileSysadmin), startTimeout: time.Minute}
}

func (f *sourceFlags) add(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&f.from, "from", "", "Answer from a saved report instead of a node; - reads stdin")
	fs.StringVar(&f.save, "save", "", "Also save the raw report, with what the API server said, to this file")
	fs.BoolVar(&f.local, "local", false, "Examine this machine, without any cluster (Linux)")
	fs.StringVar(&f.image, "image", "", "Image for the pod, any with a shell; default: one that the node already has")
	fs.StringVar(&f.pullSecret, "image-pull-secret", "", "Secret in the pod's namespace to pull --image with")
	fs.StringVar(&f.profile, "profile", f.profile, "What the pod may do: sysadmin (privileged) or minimal (SYS_PTRACE, DAC_READ_SEARCH, SYSLOG)")
	fs.DurationVar(&f.startTimeout, "start-timeout", f.startTimeout, "How long to wait for the pod to start")
	fs.BoolVar(&f.showSecrets, "show-secrets", false, "Show command lines as they are; else likely secrets in them stay on the node")
	must(c.RegisterFlagCompletionFunc("profile", cobra.FixedCompletions(profiles(), cobra.ShellCompDirectiveNoFileComp)))
}

func profiles() []string {
	return []string{string(debugpod.ProfileSysadmin), string(debugpod.ProfileMinimal)}
}

func (f *sourceFlags) validate() error {
	switch {
	case f.local && f.from != "":
		return errors.New("--local and --from exclude each other")
	case !slices.Contains(profiles(), f.profile):
		return fmt.Errorf("--profile is sysadmin or minimal, not %q", f.profile)
	case f.save == "-":
		return errors.New("--save needs a file's name; -o json prints the answer")
	case f.pullSecret != "" && f.image == "":
		return errors.New("--image-pull-secret goes with --image")
	case f.startTimeout <= 0:
		return fmt.Errorf("--start-timeout must be positive, not %s", f.startTimeout)
	}
	return nil
}

// remote says whether a node of the cluster is asked.
func (f *sourceFlags) remote() bool { return !f.local && f.from == "" }

// source is where a joined report comes from.
type source struct {
	flags    *sourceFlags
	env      env
	progress *progress
}

// answer gets a report about node, joins it, saves it where asked, and lets use
// print it. The pod is removed meanwhile, and gone when answer returns.
func (s *source) answer(ctx context.Context, node string, req report.Request, use func(*correlate.Node) error) (err error) {
	r, inv, release, err := s.report(ctx, node, req)
	defer s.progress.clear()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if s.flags.save != "" {
		// The answer is worth telling even where it cannot be kept.
		err = saved.Write(s.flags.save, r, inv)
	}
	s.progress.clear()
	return errors.Join(err, unlessReaderLeft(use(correlate.Join(r, inv))))
}

func (s *source) report(ctx context.Context, node string, req report.Request) (*report.NodeReport, *inventory.Inventory, func() error, error) {
	nothing := func() error { return nil }
	req.ShowSecrets = s.flags.showSecrets
	switch {
	case s.flags.from != "":
		r, inv, err := saved.Read(s.flags.from, s.env.streams.In)
		return r, inv, nothing, err
	case s.flags.local:
		s.progress.show("examining this machine")
		r, err := localReport(ctx, s.env.version, req)
		return r, nil, nothing, err
	}
	return s.fromNode(ctx, node, req)
}

func (s *source) fromNode(ctx context.Context, node string, req report.Request) (*report.NodeReport, *inventory.Inventory, func() error, error) {
	if s.flags.save != "" { // better now than after the run
		if _, err := os.Stat(filepath.Dir(s.flags.save)); err != nil {
			return nil, nil, nil, fmt.Errorf("failed to save to %q: %w", s.flags.save, err)
		}
	}
	clients, namespace, err := s.env.clients()
	if err != nil {
		return nil, nil, nil, err
	}
	session, err := debugpod.Start(ctx, clients, debugpod.Config{
		Node: node, Namespace: namespace, Image: s.flags.image, PullSecret: s.flags.pullSecret,
		Profile: debugpod.Profile(s.flags.profile), StartTimeout: s.flags.startTimeout,
		Version: s.env.version, Kubectl: s.env.kubectl(),
		Created: func(byHand string) { noteLeftBehind(ctx, byHand) },
	}, s.progress.show, s.progress.warn)
	if err != nil {
		return nil, nil, nil, err
	}
	release := func() error {
		s.progress.show("removing the pod")
		defer noteLeftBehind(ctx, "")
		return session.Close()
	}
	s.progress.show("examining node " + node)
	r, err := session.Collect(ctx, req)
	if err != nil {
		return nil, nil, nil, errors.Join(err, release())
	}
	session.Finish()
	s.progress.show("asking the API server for its pods")
	inv := inventory.Collect(ctx, clients.Kube, node)
	if inv.PodsError != "" {
		s.progress.warn("pods are named by the node's own files only: " + inv.PodsError)
	}
	return r, inv, release, nil
}

// clients reach the cluster that kubectl's flags and kubeconfig name.
func (e env) clients() (debugpod.Clients, string, error) {
	// Without any, client-go would try localhost:8080 and report a refused
	// connection, which hides the cause.
	raw, err := e.kube.ToRawKubeConfigLoader().RawConfig()
	if err == nil && clientcmdapi.IsConfigEmpty(&raw) && (e.kube.APIServer == nil || *e.kube.APIServer == "") &&
		os.Getenv("KUBERNETES_SERVICE_HOST") == "" { // in a pod, its service account serves
		return debugpod.Clients{}, "", errors.New("no cluster is configured: set KUBECONFIG, or use --kubeconfig or --server")
	}
	config, err := e.kube.ToRESTConfig()
	if err != nil {
		return debugpod.Clients{}, "", fmt.Errorf("failed to read the kubeconfig: %w", err)
	}
	namespace, _, err := e.kube.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return debugpod.Clients{}, "", fmt.Errorf("failed to read the kubeconfig: %w", err)
	}
	client, err := newClient(config)
	if err != nil {
		return debugpod.Clients{}, "", err
	}
	return debugpod.Clients{Kube: client, REST: config}, namespace, nil
}

// userCommands makes the remedies' commands reach the cluster that the user named.
func (e env) userCommands(findings []diagnose.Finding) []diagnose.Finding {
	plain, named := "kubectl", e.kubectl()
	for _, f := range findings {
		for i, step := range f.Remedy {
			switch {
			case named == plain:
			case strings.HasPrefix(step.Run, plain+" nodedoc "): // a plugin takes the flags behind its name
				f.Remedy[i].Run += strings.TrimPrefix(named, plain)
			case strings.HasPrefix(step.Run, plain+" "):
				f.Remedy[i].Run = named + strings.TrimPrefix(step.Run, plain)
			}
		}
	}
	return findings
}

// kubectl is how a command that the user shall run by hand begins.
func (e env) kubectl() string {
	command := "kubectl"
	if c := e.kube.Context; c != nil && *c != "" {
		command += " --context=" + *c
	}
	if k := e.kube.KubeConfig; k != nil && *k != "" {
		command += " --kubeconfig=" + *k
	}
	return command
}
