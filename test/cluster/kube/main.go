//go:build kube

// Kube is etcd and the Kubernetes components that a throwaway cluster needs, in one static binary: the name that it
// is called by says which. The cluster program builds it once and keeps it in the user's cache.
//
// The build tag keeps it, and the minutes that it takes to compile, out of `go vet ./...` and `go test ./...`.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	component := filepath.Base(os.Args[0])
	if component == "etcd" {
		etcdmain.Main(os.Args)
		return
	}
	command, err := newCommand(component)
	if err != nil {
		fmt.Fprintln(os.Stderr, "kube:", err)
		os.Exit(2)
	}
	os.Exit(cli.Run(command))
}

func newCommand(component string) (*cobra.Command, error) {
	switch component {
	case "kube-apiserver":
		return apiserver.NewAPIServerCommand(), nil
	case "kube-controller-manager":
		return controllermanager.NewControllerManagerCommand(), nil
	case "kube-scheduler":
		return scheduler.NewSchedulerCommand(), nil
	case "kubelet":
		return kubelet.NewKubeletCommand(context.Background()), nil
	default:
		return nil, fmt.Errorf("no component is called %q: link this binary under a component's name and call that", component)
	}
}
