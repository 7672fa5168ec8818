package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/node"
)

// startNode brings a node's first process and its containerd to life. The kubelet comes later, when there is an API
// server for it to find.
func startNode(ctx context.Context, l layout, n plannedNode) (nodeState, error) {
	s := nodeState{
		Name:             n.Name,
		IP:               n.IP,
		Netns:            netnsDirectory + "/" + n.Name,
		ContainerdSocket: "/run/containerd/containerd.sock",
		CgroupRoot:       n.cgroupRoot(),
		Snapshotter:      snapshotter(l.root(n.Name, "var")),
		Root:             l.root(n.Name),
		StaticPodPath:    l.root(n.Name, "etc/kubernetes/manifests"),
		InitLog:          l.log(n.Name, "init.log"),
		ContainerdLog:    l.log(n.Name, "containerd.log"),
		KubeletLog:       l.log(n.Name, "kubelet.log"),
	}
	var err error
	if s.InitPID, err = startInit(l, n, s); err != nil {
		return s, err
	}
	s.ContainerdPID, err = s.start(ctx, l, "containerd", s.ContainerdLog)
	return s, err
}

// startInit makes the node's namespaces, and in them its first process.
func startInit(l layout, n plannedNode, s nodeState) (int, error) {
	read, written, err := os.Pipe()
	if err != nil {
		return 0, fmt.Errorf("failed to make a pipe: %w", err)
	}
	defer read.Close()
	// Not `ip netns exec`: that mounts a fresh /sys, and hides the control groups.
	cmd := exec.Command("nsenter", "--net="+s.Netns, "--", l.root(n.Name, node.Program),
		"node-init", n.Name, l.root(n.Name), n.group("init.scope"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS}
	cmd.ExtraFiles = []*os.File{written} // becomes node.ReadyFD
	err = start(l, cmd, s.InitLog)
	written.Close()
	if err != nil {
		return 0, err
	}
	answer, _ := bufio.NewReader(read).ReadString('\n')
	if answer = strings.TrimSpace(answer); answer != node.Ready {
		init := daemon{Name: n.Name, PID: cmd.Process.Pid, Log: s.InitLog}
		return 0, init.blame(fmt.Errorf("failed to start node %q: %w", n.Name, errors.New(answer)))
	}
	return cmd.Process.Pid, nil
}

// start starts a service of the node, the way that its first process would have, and returns its process ID.
func (s nodeState) start(ctx context.Context, l layout, name, log string, args ...string) (int, error) {
	cmd := s.enter(ctx, "node-start", s.Name+"/system.slice/"+name+".service", append([]string{name}, args...)...)
	output, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, fmt.Errorf("failed to open log %q: %w", log, err)
	}
	defer output.Close()
	cmd.Stdout, cmd.Stderr, cmd.Env = output, output, environment(l)
	if err := cmd.Run(); err != nil {
		return 0, daemon{Log: log}.blame(fmt.Errorf("failed to start %s on node %q: %w", name, s.Name, err))
	}
	return childNamed(s.InitPID, name)
}

func (s nodeState) kubeletArgs() []string {
	return []string{"--config=/var/lib/kubelet/config.yaml", "--kubeconfig=/etc/kubernetes/kubelet.conf", "--node-ip=" + s.IP}
}

// enter is a command inside the node; how is one of the cluster program's own commands there.
func (s nodeState) enter(ctx context.Context, how, group string, args ...string) *exec.Cmd {
	if s.VM != nil {
		return s.VM.enter(ctx, args...) // into a session of systemd's making
	}
	return exec.CommandContext(ctx, "nsenter", append([]string{
		"--target", strconv.Itoa(s.InitPID), "--mount", "--uts", "--net", "--pid", "--",
		node.Program, how, group,
	}, args...)...)
}

// patience is how long the node may take for what takes others a given time.
func (s nodeState) patience(usual time.Duration) time.Duration {
	if s.VM != nil {
		return vmPatience
	}
	return usual
}

func (s nodeState) daemons() []daemon {
	if s.VM != nil {
		return []daemon{{Name: s.Name, PID: s.VM.PID, Log: s.VM.Console}}
	}
	return []daemon{
		{Name: s.Name, PID: s.InitPID, Log: s.InitLog},
		{Name: "containerd of " + s.Name, PID: s.ContainerdPID, Log: s.ContainerdLog},
		{Name: "kubelet of " + s.Name, PID: s.KubeletPID, Log: s.KubeletLog},
	}
}
