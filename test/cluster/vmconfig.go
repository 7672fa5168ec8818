package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/node"
	"github.com/nodedoc/kubectl-nodedoc/test/cluster/pki"
)

type kubeletServiceSettings struct {
	IP string
}

type vmNetworkSettings struct {
	IP, Host string
	Others   []plannedNode
}

// writeVM writes what makes a virtual machine this node, as an archive that it unpacks when it starts.
func writeVM(ctx context.Context, l layout, n plannedNode, nodes []plannedNode, authority *pki.Authority, kube string) error {
	root := l.root(n.Name)
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
		return fmt.Errorf("failed to make the configuration of %q: %w", n.Name, err)
	}
	if err := writeIdentity(root, n); err != nil {
		return err
	}
	if err := writeNodeConfig(root, n, authority); err != nil {
		return err
	}
	if err := writeVMServices(root, n, nodes); err != nil {
		return err
	}
	if err := writeVMKeys(ctx, l, root, n); err != nil {
		return err
	}
	if err := place(kube, filepath.Join(root, node.Bin, "kubelet")); err != nil {
		return err
	}
	return command(ctx, "tar", "--create", "--file", l.vmConfig(n.Name), "--directory", root, "--owner=0", "--group=0", ".")
}

func writeVMServices(root string, n plannedNode, nodes []plannedNode) error {
	others := make([]plannedNode, 0, len(nodes))
	for _, other := range nodes {
		if other != n {
			others = append(others, other)
		}
	}
	// networkd reads its file as a user of its own.
	for _, file := range []struct {
		path, template string
		settings       any
	}{
		{"etc/systemd/system/kubelet.service", "kubelet.service", kubeletServiceSettings{IP: n.IP}},
		{"etc/systemd/network/eth0.network", "eth0.network", vmNetworkSettings{IP: n.IP, Host: hostIP, Others: others}},
	} {
		content, err := render(file.template, file.settings)
		if err != nil {
			return err
		}
		path := filepath.Join(root, file.path)
		if err := write(path, content); err != nil {
			return err
		}
		if err := os.Chmod(path, 0o644); err != nil {
			return fmt.Errorf("failed to let everybody read %q: %w", path, err)
		}
	}
	wants := filepath.Join(root, "etc/systemd/system/multi-user.target.wants")
	if err := os.MkdirAll(wants, 0o755); err != nil {
		return fmt.Errorf("failed to make %q: %w", wants, err)
	}
	if err := os.Symlink("/lib/systemd/system/systemd-networkd.service", filepath.Join(wants, "systemd-networkd.service")); err != nil {
		return fmt.Errorf("failed to enable the network of %q: %w", n.Name, err)
	}
	return os.MkdirAll(filepath.Join(root, "etc/kubernetes/manifests"), 0o755)
}
