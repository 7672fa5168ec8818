package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// runBeside runs a command with a second API server over the same etcd, one that has more admission plugins. The
// cluster's own programs know nothing of it.
func runBeside(ctx context.Context, l layout, plugins string, args []string) (err error) {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("failed to understand address %q: %w", address, err)
	}
	server := apiServer(l)
	server.args = append(server.args, "--secure-port="+port, "--enable-admission-plugins="+plugins)
	d, err := startOnHost(l, server)
	if err != nil {
		return err
	}
	defer func() {
		if failure := d.kill(); err == nil {
			err = failure
		}
	}()
	client, err := newAPI(l)
	if err != nil {
		return err
	}
	client.server = "https://" + address
	if err := await(ctx, "the second API server", time.Minute, []daemon{d}, client.ready); err != nil {
		return err
	}
	kubeconfig, err := kubeconfigFor(l, client.server)
	if err != nil {
		return err
	}
	defer os.Remove(kubeconfig)
	return runWith(ctx, l, kubeconfig, args)
}

// freeAddress is one of the machine at which nobody listens.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", hostIP+":0")
	if err != nil {
		return "", fmt.Errorf("failed to find a free port (is there a cluster?): %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// kubeconfigFor is the administrator's, for another server of the cluster.
func kubeconfigFor(l layout, server string) (path string, err error) {
	content, err := os.ReadFile(l.kubeconfig())
	if err != nil {
		return "", fmt.Errorf("failed to read the kubeconfig: %w", err)
	}
	path = filepath.Join(l.dir, fmt.Sprintf("kubeconfig-%d", os.Getpid()))
	return path, write(path, []byte(strings.ReplaceAll(string(content), apiserver, server)))
}
