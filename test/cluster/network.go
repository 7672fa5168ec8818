package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
)

// claim takes the machine for this cluster by making the bridge, whose alias says whose it is.
func claim(ctx context.Context, l layout) error {
	return ip(ctx,
		"link add "+bridge+" type bridge", // fails if another cluster was quicker
		"link set "+bridge+" alias "+l.dir,
		"addr add "+hostIP+"/24 dev "+bridge,
		"link set "+bridge+" up",
	)
}

// refuseSecond refuses a cluster on a machine that has one.
func refuseSecond(l layout) error {
	owner, taken := claimedBy()
	if !taken {
		return nil
	}
	if owner == "" {
		owner = l.dir
	}
	return fmt.Errorf("failed to claim this machine: it has a cluster in %q already: `cluster down --dir %s` first", owner, owner)
}

// claimedBy reads the directory of the cluster that the machine has. It is empty if an `up` ended between making the
// bridge and naming it.
func claimedBy() (string, bool) {
	alias, err := os.ReadFile("/sys/class/net/" + bridge + "/ifalias")
	return strings.TrimSpace(string(alias)), err == nil
}

// connect makes a node's network: a namespace, and a cable from there into the bridge.
func connect(ctx context.Context, n plannedNode, nodes []plannedNode) error {
	if n.VM {
		return connectVM(ctx, n)
	}
	inside := "-n " + n.Name + " "
	commands := []string{
		"netns add " + n.Name,
		"link add " + n.Name + " type veth peer name eth0 netns " + n.Name,
		"link set " + n.Name + " master " + bridge + " up",
		inside + "link set lo up",
		inside + "addr add " + n.IP + "/24 dev eth0",
		inside + "link set eth0 up",
		inside + "route add default via " + hostIP,
		"route add " + n.PodCIDR + " via " + n.IP,
	}
	for _, other := range nodes {
		if other != n {
			commands = append(commands, inside+"route add "+other.PodCIDR+" via "+other.IP)
		}
	}
	return ip(ctx, commands...)
}

func ip(ctx context.Context, commands ...string) error {
	for _, line := range commands {
		if err := command(ctx, "ip", strings.Fields(line)...); err != nil {
			return err
		}
	}
	return nil
}

var ourLink = regexp.MustCompile(`^(` + bridge + `|(` + nodePrefix + `|` + vmPrefix + `)\d+)$`)

// disconnect removes the network of every node, and the bridge last, since it is the claim.
func disconnect(ctx context.Context) error {
	namespaces, err := os.ReadDir(netnsDirectory)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("failed to list the network namespaces: %w", err)
	}
	var failures []error
	for _, namespace := range namespaces {
		if ourLink.MatchString(namespace.Name()) {
			failures = append(failures, ip(ctx, "netns delete "+namespace.Name()))
		}
	}
	links, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("failed to list the network links: %w", err)
	}
	for _, link := range links {
		if ourLink.MatchString(link.Name) && link.Name != bridge {
			failures = append(failures, deleteLink(ctx, link.Name))
		}
	}
	return errors.Join(append(failures, deleteLink(ctx, bridge))...)
}

// deleteLink deletes a link, unless the kernel was quicker: a cable goes when the namespace of its other end goes.
func deleteLink(ctx context.Context, name string) error {
	err := ip(ctx, "link delete "+name)
	if err != nil && !exists("/sys/class/net/"+name) {
		return nil
	}
	return err
}
