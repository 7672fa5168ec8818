package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/vm"
)

// vmPatience is how long a virtual machine may take for what others do in a minute or less.
const vmPatience = 5 * time.Minute

// vmState is what tests may know of a node that is a virtual machine. Its processes and paths are its own.
type vmState struct {
	PID     int      `json:"pid"`     // of the emulator
	Console string   `json:"console"` // the kernel's and the kubelet's messages
	SSH     []string `json:"ssh"`     // how to get in: a command line follows
}

// connectVM makes a virtual machine's network: a device whose other end the emulator holds.
func connectVM(ctx context.Context, n plannedNode) error {
	return ip(ctx,
		"tuntap add dev "+n.Name+" mode tap",
		"link set "+n.Name+" master "+bridge+" up",
		"route add "+n.PodCIDR+" via "+n.IP,
	)
}

// startVM switches a virtual machine on. Its containerd starts with it, its kubelet when startKubelet says so.
func startVM(l layout, n plannedNode, image vm.Image) (nodeState, error) {
	console := l.log(n.Name, "console.log")
	s := nodeState{
		Name:             n.Name,
		IP:               n.IP,
		ContainerdSocket: "/run/containerd/containerd.sock",
		CgroupRoot:       n.cgroupRoot(),
		Snapshotter:      "overlayfs",
		InitLog:          console,
		VM:               &vmState{Console: console, SSH: sshArguments(l, n)},
	}
	program, err := os.Executable()
	if err != nil {
		return s, fmt.Errorf("failed to find this program's own file: %w", err)
	}
	machine := vm.Machine{Name: n.Name, MAC: n.mac(), Image: image, Config: l.vmConfig(n.Name)}
	cmd := exec.Command(program, append([]string{"join", n.Name}, machine.Command(vm.MayUseKVM())...)...)
	if err := start(l, cmd, console, "TMPDIR="+l.dir); err != nil {
		return s, err
	}
	s.VM.PID = cmd.Process.Pid
	return s, nil
}

// startKubelet has systemd start it, from now on at every boot.
func (v vmState) startKubelet(ctx context.Context, l layout) error {
	cmd := v.enter(ctx, "systemctl", "enable", "--now", "kubelet.service")
	cmd.Env = environment(l)
	return quietly(cmd)
}

// enter is a command in a login session of root.
func (v vmState) enter(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, v.SSH[0], append(v.SSH[1:len(v.SSH):len(v.SSH)], sshCommand(args))...)
}
