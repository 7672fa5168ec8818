package main

import (
	"fmt"
	"net"
)

// The names and addresses of a cluster. There is one such cluster on a machine at a time: nodes have the names that
// the tests know, and those name network namespaces and control groups, too.
const (
	bridge      = "nd-br0"
	hostIP      = "10.213.0.1"
	serviceCIDR = "10.214.0.0/16"
	serviceIP   = "10.214.0.1" // of the service "kubernetes"
	dnsIP       = "10.214.0.10"
	apiserver   = "https://" + hostIP + ":6443"
	loopbackIP  = "127.213.0.1" // etcd and the rest of the control plane listen here, out of everybody's way
	nodePrefix  = "nd-node-"
	vmPrefix    = "nd-vm-"
	controlRoot = "nd-control-plane" // the control plane's cgroup
	maxNodes    = 20
	maxVMs      = 4
)

// plannedNode is one node of the plan.
type plannedNode struct {
	Name    string
	IP      string
	PodCIDR string
	VM      bool // has a kernel of its own
}

func plan(count int) ([]plannedNode, error) {
	if count < 1 || count > maxNodes {
		return nil, fmt.Errorf("failed to plan %d nodes: give 1 to %d", count, maxNodes)
	}
	var nodes []plannedNode
	for i := 1; i <= count; i++ {
		nodes = append(nodes, plannedNode{
			Name:    fmt.Sprintf("%s%d", nodePrefix, i),
			IP:      fmt.Sprintf("10.213.0.%d", 10+i),
			PodCIDR: fmt.Sprintf("10.213.%d.0/24", i),
		})
	}
	return nodes, nil
}

// planVMs plans the nodes that are virtual machines.
func planVMs(count int) ([]plannedNode, error) {
	if count < 0 || count > maxVMs {
		return nil, fmt.Errorf("failed to plan %d virtual machines: give up to %d", count, maxVMs)
	}
	var nodes []plannedNode
	for i := 1; i <= count; i++ {
		nodes = append(nodes, plannedNode{
			Name:    fmt.Sprintf("%s%d", vmPrefix, i),
			IP:      fmt.Sprintf("10.213.0.%d", 100+i),
			PodCIDR: fmt.Sprintf("10.213.%d.0/24", 100+i),
			VM:      true,
		})
	}
	return nodes, nil
}

// group is a control group of the node's own programs, such as "system.slice/kubelet.service".
func (n plannedNode) group(unit string) string { return n.Name + "/" + unit }

// cgroupRoot is where the kubelet puts its pods.
func (n plannedNode) cgroupRoot() string {
	if n.VM {
		return "/"
	}
	return "/" + n.Name
}

// cgroupDriver is systemd's where there is one.
func (n plannedNode) cgroupDriver() string {
	if n.VM {
		return "systemd"
	}
	return "cgroupfs"
}

// mac is an address for a virtual machine's network card, locally administered, with the IP address in it.
func (n plannedNode) mac() string {
	octets := append([]byte{0x52, 0x54}, net.ParseIP(n.IP).To4()...)
	return net.HardwareAddr(octets).String()
}
