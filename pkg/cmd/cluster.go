package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"

	_ "k8s.io/client-go/plugin/pkg/client/auth" // credentials of cloud providers and OIDC, as kubectl has them
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// cluster is where pods are made.
type cluster struct {
	clients   debugpod.Clients
	namespace string
	// survey is there where many nodes are asked.
	survey *debugpod.Survey
}

// reach finds the cluster, once.
func (s *source) reach() (*cluster, error) {
	if s.cluster != nil {
		return s.cluster, nil
	}
	clients, namespace, err := s.env.clients(1)
	if err != nil {
		return nil, err
	}
	s.cluster = &cluster{clients: clients, namespace: cmp.Or(s.flags.podNamespace, namespace)}
	return s.cluster, nil
}

// clients reach the cluster that kubectl's flags and kubeconfig name, for so many
// nodes at a time.
func (e env) clients(parallel int) (debugpod.Clients, string, error) {
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
	// client-go's own limits, 5 a second after the first 10, are for
	// controllers. A run makes about 20 requests, over some seconds.
	config.QPS = float32(min(max(50, 5*parallel), 500))
	config.Burst = int(2 * config.QPS)
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

// nodedoc is a command of this plugin that the user shall run by hand: it takes
// kubectl's flags behind its name.
func (e env) nodedoc(command string) string {
	return "kubectl nodedoc " + command + strings.TrimPrefix(e.kubectl(), "kubectl")
}
