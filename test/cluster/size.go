package main

import (
	"context"
	"slices"
)

// size is how many nodes of each kind a cluster has.
type size struct {
	nodes int // made of namespaces
	vms   int // virtual machines
}

func (s size) plan() ([]plannedNode, error) {
	nodes, err := plan(s.nodes)
	if err != nil {
		return nil, err
	}
	machines, err := planVMs(s.vms)
	return append(nodes, machines...), err
}

func (b *builder) hasVMs() bool {
	return slices.ContainsFunc(b.nodes, func(n plannedNode) bool { return n.VM })
}

func (b *builder) writeNode(ctx context.Context, n plannedNode) error {
	if n.VM {
		return writeVM(ctx, b.layout, n, b.nodes, b.authority, b.binaries.kube)
	}
	return writeRoot(ctx, b.layout, n, b.authority, b.binaries.kube)
}

func (b *builder) startNode(ctx context.Context, n plannedNode) (nodeState, error) {
	if n.VM {
		return startVM(b.layout, n, b.vmImage)
	}
	return startNode(ctx, b.layout, n)
}
