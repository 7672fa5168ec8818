package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/cgroup"
	"github.com/nodedoc/kubectl-nodedoc/test/cluster/pki"
	"github.com/nodedoc/kubectl-nodedoc/test/cluster/vm"
)

// builder makes one cluster.
type builder struct {
	layout
	progress
	nodes     []plannedNode
	binaries  binaries
	vmImage   vm.Image
	authority *pki.Authority
	api       api
	state     state
}

// up makes a cluster, and returns when pods can run on every node.
func up(ctx context.Context, l layout, p progress, s size) error {
	nodes, err := s.plan()
	if err != nil {
		return err
	}
	if err := requireRoot(); err != nil {
		return err
	}
	if err := refuseSecond(l); err != nil {
		return err
	}
	lock, err := lockDirectory(l)
	if err != nil {
		return err
	}
	defer lock.Close()
	b := &builder{layout: l, progress: p, nodes: nodes}
	if err := b.build(ctx); err != nil {
		return err
	}
	p.say("ready: export KUBECONFIG=%s", l.kubeconfig())
	return nil
}

func (b *builder) build(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		b.prepare, b.write, b.startControlPlane, b.startNodes, b.startKubelets,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// prepare gets all that comes from elsewhere, then takes possession of the machine.
func (b *builder) prepare(ctx context.Context) error {
	if err := installPackages(ctx, b.progress, b.hasVMs()); err != nil {
		return err
	}
	var err error
	if b.binaries, err = buildBinaries(ctx, b.layout, b.progress); err != nil {
		return err
	}
	if b.hasVMs() {
		if b.vmImage, err = buildVMImage(ctx, b.layout, b.progress); err != nil {
			return err
		}
	}
	if err := saveBefore(b.layout); err != nil {
		return err
	}
	if err := claim(ctx, b.layout); err != nil {
		return err
	}
	tree, err := cgroup.Mounted()
	if err != nil {
		return err
	}
	for _, n := range b.nodes {
		if err := tree.Make(n.Name); err != nil {
			return err
		}
		if err := connect(ctx, n, b.nodes); err != nil {
			return err
		}
	}
	b.say("network and control groups are made")
	return nil
}

// write writes every file of the cluster.
func (b *builder) write(ctx context.Context) error {
	var err error
	if b.authority, err = pki.NewAuthority("nodedoc-cluster"); err != nil {
		return err
	}
	if err := writeControlPlane(b.layout, b.authority); err != nil {
		return err
	}
	if b.api, err = newAPI(b.layout); err != nil {
		return err
	}
	for _, c := range controlPlane(b.layout) {
		if err := place(b.binaries.kube, b.bin(c.name)); err != nil {
			return err
		}
	}
	for _, n := range b.nodes {
		if err := b.writeNode(ctx, n); err != nil {
			return err
		}
	}
	b.state = state{Kubeconfig: b.kubeconfig(), APIServer: apiserver}
	b.say("keys and configuration are written")
	return nil
}

// startControlPlane starts all of it at once: each component tries until the ones that it needs are there.
func (b *builder) startControlPlane(context.Context) error {
	for _, c := range controlPlane(b.layout) {
		started, err := startOnHost(b.layout, c)
		if err != nil {
			return err
		}
		b.state.ControlPlane = append(b.state.ControlPlane, started)
	}
	return b.state.save(b.layout)
}

// startNodes starts the nodes side by side, while the control plane is still starting.
func (b *builder) startNodes(ctx context.Context) error {
	images, err := standardImages(b.binaries.pause)
	if err != nil {
		return err
	}
	b.state.Nodes = make([]nodeState, len(b.nodes))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, n := range b.nodes {
		group.Go(func() error {
			s, err := b.startNode(groupCtx, n)
			if err != nil {
				return err
			}
			b.state.Nodes[i] = s
			for _, img := range images {
				if err := s.load(groupCtx, b.layout, img); err != nil {
					return err
				}
			}
			b.say("%s has a containerd and its images", n.Name)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return b.state.save(b.layout)
}

// startKubelets waits for the API server first: a kubelet that does not find it waits longer and longer.
func (b *builder) startKubelets(ctx context.Context) error {
	control := b.state.ControlPlane
	if err := await(ctx, "the API server", time.Minute, control[:2], b.api.ready); err != nil {
		return err
	}
	b.say("the API server is ready")
	for i := range b.state.Nodes {
		n := &b.state.Nodes[i]
		if n.VM != nil {
			if err := n.VM.startKubelet(ctx, b.layout); err != nil {
				return err
			}
			continue
		}
		pid, err := n.start(ctx, b.layout, "kubelet", n.KubeletLog, n.kubeletArgs()...)
		if err != nil {
			return err
		}
		n.KubeletPID = pid
	}
	if err := b.state.save(b.layout); err != nil {
		return err
	}
	for _, n := range b.state.Nodes {
		ready := func(ctx context.Context) error { return b.api.nodeReady(ctx, n.Name) }
		if err := await(ctx, "node "+n.Name, n.patience(time.Minute), n.daemons(), ready); err != nil {
			return err
		}
		b.say("%s is ready", n.Name)
	}
	return await(ctx, "the default service account", time.Minute, control, b.api.defaultServiceAccount)
}

func requireRoot() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("failed to work as user %d: only root can make a cluster or take one down", os.Geteuid())
	}
	return nil
}
