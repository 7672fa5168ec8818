package main

import (
	"path/filepath"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/pki"
)

// writeNodeConfig writes what kubelet, containerd and the network plugins read.
func writeNodeConfig(root string, n plannedNode, authority *pki.Authority) error {
	user, group := "system:node:"+n.Name, "system:nodes"
	serving, err := authority.Issue(pki.Subject{User: user, Groups: []string{group}, Hosts: []string{n.Name, n.IP}})
	if err != nil {
		return err
	}
	kubeconfig, err := renderKubeconfig(authority, user, group)
	if err != nil {
		return err
	}
	files := map[string][]byte{
		"etc/kubernetes/pki/ca.crt":      authority.Cert,
		"etc/kubernetes/pki/kubelet.crt": serving.Cert,
		"etc/kubernetes/pki/kubelet.key": serving.Key,
		"etc/kubernetes/kubelet.conf":    kubeconfig,
	}
	for _, file := range []struct {
		path, template string
		settings       any
	}{
		{"var/lib/kubelet/config.yaml", "kubelet.yaml", kubeletSettings{
			CgroupDriver: n.cgroupDriver(), CgroupRoot: n.cgroupRoot(), ClusterDNS: dnsIP,
		}},
		{"etc/containerd/config.toml", "containerd.toml", n.containerdSettings(root)},
		{"etc/cni/net.d/10-nodedoc.conflist", "cni.json", cniSettings{PodCIDR: n.PodCIDR}},
	} {
		if files[file.path], err = render(file.template, file.settings); err != nil {
			return err
		}
	}
	for name, content := range files {
		if err := write(filepath.Join(root, name), content); err != nil {
			return err
		}
	}
	return nil
}

// containerdSettings go by what this machine can do, unless the node has a kernel of its own.
func (n plannedNode) containerdSettings(root string) containerdSettings {
	if n.VM {
		return containerdSettings{Pause: pauseImage, Snapshotter: "overlayfs", SystemdCgroup: true}
	}
	return containerdSettings{Pause: pauseImage, RestrictOOM: !mayLowerOOMScore(), Snapshotter: snapshotter(root)}
}
