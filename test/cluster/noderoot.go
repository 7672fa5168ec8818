package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/node"
	"github.com/nodedoc/kubectl-nodedoc/test/cluster/pki"
)

// writeRoot fills a node's root directory. /usr and its like are mounted from the machine when the node starts.
func writeRoot(ctx context.Context, l layout, n plannedNode, authority *pki.Authority, kube string) error {
	root := l.root(n.Name)
	if err := makeDirectories(root); err != nil {
		return err
	}
	if err := copyEtc(ctx, root); err != nil {
		return err
	}
	if err := writeIdentity(root, n); err != nil {
		return err
	}
	if err := writeNodeConfig(root, n, authority); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("failed to find this program's own file: %w", err)
	}
	if err := place(program, filepath.Join(root, node.Program)); err != nil {
		return err
	}
	return place(kube, filepath.Join(root, node.Bin, "kubelet"))
}

func makeDirectories(root string) error {
	for _, directory := range []struct {
		name string
		mode os.FileMode
	}{
		{"etc/kubernetes/manifests", 0o755},
		{"var/lib/kubelet", 0o755},
		{"var/lib/containerd", 0o755},
		{"var/log/pods", 0o755},
		{"var/tmp", 0o777 | os.ModeSticky},
		{"tmp", 0o777 | os.ModeSticky},
		{"root", 0o700},
		{"boot", 0o755}, {"home", 0o755}, {"media", 0o755}, {"mnt", 0o755}, {"srv", 0o755},
	} {
		path := filepath.Join(root, directory.name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			return fmt.Errorf("failed to make directory %q: %w", path, err)
		}
		if err := os.Chmod(path, directory.mode); err != nil {
			return fmt.Errorf("failed to set the mode of directory %q: %w", path, err)
		}
	}
	if err := os.Symlink("../run", filepath.Join(root, "var/run")); err != nil {
		return fmt.Errorf("failed to link /var/run below %q: %w", root, err)
	}
	return nil
}

// copyEtc takes along what of the machine's /etc programs cannot do without, and no more: no keys, no passwords.
func copyEtc(ctx context.Context, root string) error {
	for _, name := range []string{
		"passwd", "group", "nsswitch.conf", "protocols", "services", "resolv.conf", "ld.so.cache", "ld.so.conf", "ld.so.conf.d",
		"alternatives", "os-release", "debian_version", "localtime", "mke2fs.conf", "iproute2", "profile", "bash.bashrc",
	} {
		source := filepath.Join("/etc", name)
		if _, err := os.Lstat(source); err != nil {
			continue
		}
		args := []string{"-a"}
		if name == "resolv.conf" {
			args = []string{"-L"} // often a link into /run, which the node does not share
		}
		if err := command(ctx, "cp", append(args, source, filepath.Join(root, source))...); err != nil {
			return err
		}
	}
	return nil
}

func writeIdentity(root string, n plannedNode) error {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return fmt.Errorf("failed to make a machine ID for node %q: %w", n.Name, err)
	}
	for name, content := range map[string]string{
		"etc/hostname":   n.Name + "\n",
		"etc/hosts":      "127.0.0.1 localhost\n" + n.IP + " " + n.Name + "\n",
		"etc/machine-id": hex.EncodeToString(id) + "\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o644); err != nil {
			return fmt.Errorf("failed to write %q of node %q: %w", name, n.Name, err)
		}
	}
	if err := os.Symlink("/proc/mounts", filepath.Join(root, "etc/mtab")); err != nil {
		return fmt.Errorf("failed to link /etc/mtab in node %q: %w", n.Name, err)
	}
	if !exists(filepath.Join(root, "etc/resolv.conf")) {
		return write(filepath.Join(root, "etc/resolv.conf"), nil)
	}
	return nil
}
