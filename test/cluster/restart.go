package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"
)

// restart starts a component of the control plane, or NODE/kubelet or NODE/containerd, again, whether somebody has
// killed it or not. What stands in its files by now is what it starts with.
func restart(ctx context.Context, l layout, p progress, name string) error {
	s, err := loadState(l)
	if err != nil {
		return err
	}
	if node, service, found := strings.Cut(name, "/"); found {
		return s.restartService(ctx, l, p, node, service)
	}
	d, err := s.component(name)
	if err != nil {
		return err
	}
	if err := d.kill(); err != nil {
		return err
	}
	started, err := startOnHost(l, component{name: name, args: d.Args[1:]})
	if err != nil {
		return err
	}
	*d = started
	if err := s.save(l); err != nil {
		return err
	}
	client, err := newAPI(l)
	if err != nil {
		return err
	}
	if err := await(ctx, "the API server", time.Minute, []daemon{*d}, client.ready); err != nil {
		return err
	}
	p.say("%s runs again, as process %d", name, d.PID)
	return nil
}

// restartService starts a service of a node again. Pods live on without it.
func (s state) restartService(ctx context.Context, l layout, p progress, node, service string) error {
	n, err := s.node(node)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(s.Nodes, func(other nodeState) bool { return other.Name == node })
	pid, log, args := &s.Nodes[i].KubeletPID, n.KubeletLog, n.kubeletArgs()
	switch service {
	case "kubelet":
	case "containerd":
		pid, log, args = &s.Nodes[i].ContainerdPID, n.ContainerdLog, nil
	default:
		return fmt.Errorf("failed to find service %q of node %q: there are kubelet, containerd", service, node)
	}
	if err := (daemon{Name: service, PID: *pid}).kill(); err != nil {
		return err
	}
	if *pid, err = n.start(ctx, l, service, log, args...); err != nil {
		return err
	}
	if err := s.save(l); err != nil {
		return err
	}
	if err := s.Nodes[i].awaitService(ctx, l, service); err != nil {
		return err
	}
	p.say("%s of %s runs again, as process %d", service, node, *pid)
	return nil
}

// awaitService waits for a service to answer. The node's condition may be older than its kubelet, so the kubelet is
// asked itself.
func (s nodeState) awaitService(ctx context.Context, l layout, service string) error {
	if service == "containerd" {
		return await(ctx, service, time.Minute, s.daemons()[1:2], func(context.Context) error {
			c, err := net.Dial("unix", procFile(s.InitPID, "root"+s.ContainerdSocket))
			if err != nil {
				return err
			}
			return c.Close()
		})
	}
	client, err := newAPI(l)
	if err != nil {
		return err
	}
	return await(ctx, service, time.Minute, s.daemons(), func(ctx context.Context) error {
		_, err := client.get(ctx, "/api/v1/nodes/"+s.Name+"/proxy/healthz")
		return err
	})
}

// kill ends a daemon at once, if it lives: its process ID may be another's by now.
func (d daemon) kill() error {
	found, err := readStatus(d.PID)
	if err != nil || !d.runs(found) {
		return nil //nolint:nilerr // it has ended
	}
	if err := syscall.Kill(d.PID, syscall.SIGKILL); err != nil {
		return fmt.Errorf("failed to kill %s: %w", d.Name, err)
	}
	for alive(d.PID) {
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// runs compares names the way that the kernel keeps them, cut to 15 bytes.
func (d daemon) runs(found status) bool {
	return found.command == d.Name[:min(15, len(d.Name))]
}
