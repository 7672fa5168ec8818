//go:build linux

// loopcsi is a CSI driver for tests: its volumes are ext4 on loop devices, so
// that the kubelet stages, publishes and maps them as it does anybody's. It runs
// on the node itself and needs mkfs.ext4, losetup, mount and umount there.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

func main() {
	var d driver
	var detach bool
	flag.StringVar(&d.name, "name", "loop.csi.nodedoc.test", "the driver's name")
	flag.StringVar(&d.node, "node", "", "the node's name")
	flag.StringVar(&d.data, "data", "/var/lib/loopcsi", "where the volumes' images lie")
	flag.StringVar(&d.kubelet, "kubelet", "/var/lib/kubelet", "the kubelet's root directory")
	flag.BoolVar(&detach, "detach", false, "go on in the background, and print the process's id")
	flag.Parse()
	do := d.run
	if detach {
		do = background
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "loopcsi:", err)
		os.Exit(1)
	}
}

// background starts this program again in a session of its own.
func background() error {
	var args []string
	for _, a := range os.Args[1:] {
		if a != "--detach" {
			args = append(args, a)
		}
	}
	c := exec.Command("/proc/self/exe", args...)
	c.Args[0] = os.Args[0]
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return err
	}
	fmt.Println(c.Process.Pid)
	return nil
}

// run serves until SIGTERM, and takes its sockets along, by which the kubelet
// knows that the driver is gone. Killed, it leaves them.
func (d *driver) run() error {
	if d.node == "" {
		return errors.New("say --node")
	}
	plugin := filepath.Join(d.kubelet, "plugins", d.name, "csi.sock")
	if err := os.MkdirAll(d.data, 0o755); err != nil {
		return err
	}
	serving := grpc.NewServer()
	csi.RegisterIdentityServer(serving, d)
	csi.RegisterNodeServer(serving, d)
	ended := make(chan error, 2)
	if err := listen(serving, plugin, ended); err != nil {
		return err
	}
	registering := grpc.NewServer()
	registration.RegisterRegistrationServer(registering, &registrar{name: d.name, socket: plugin})
	if err := listen(registering, filepath.Join(d.kubelet, "plugins_registry", d.name+"-reg.sock"), ended); err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	select {
	case err := <-ended:
		return err
	case <-stop:
		registering.Stop()
		serving.Stop()
		return nil
	}
}

func listen(s *grpc.Server, socket string, ended chan<- error) error {
	if err := os.MkdirAll(filepath.Dir(socket), 0o750); err != nil {
		return err
	}
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		return err
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	go func() { ended <- s.Serve(l) }()
	return nil
}
