package main

import (
	"github.com/nodedoc/kubectl-nodedoc/test/cluster/pki"
)

const etcdURL = "http://" + loopbackIP + ":2379"

// component is a program of the control plane; it runs on the machine itself.
type component struct {
	name string
	args []string
}

// writeControlPlane writes the keys and the configuration of the control plane, and the administrator's kubeconfig.
func writeControlPlane(l layout, authority *pki.Authority) error {
	files := map[string][]byte{l.config("ca.crt"): authority.Cert, l.config("ca.key"): authority.Key}
	for name, subject := range map[string]pki.Subject{
		"apiserver": {User: "kube-apiserver", Hosts: []string{
			hostIP, serviceIP, "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		}},
		"kubelet-client": {User: "kube-apiserver-kubelet-client", Groups: []string{"system:masters"}},
		"accounts":       {User: "service-accounts"},
	} {
		pair, err := authority.Issue(subject)
		if err != nil {
			return err
		}
		files[l.config(name+".crt")], files[l.config(name+".key")] = pair.Cert, pair.Key
	}
	for path, subject := range map[string]pki.Subject{
		l.config("kube-controller-manager.conf"): {User: "system:kube-controller-manager"},
		l.config("kube-scheduler.conf"):          {User: "system:kube-scheduler"},
		l.kubeconfig():                           {User: "kubernetes-admin", Groups: []string{"system:masters"}},
	} {
		var err error
		if files[path], err = renderKubeconfig(authority, subject.User, subject.Groups...); err != nil {
			return err
		}
	}
	for path, content := range files {
		if err := write(path, content); err != nil {
			return err
		}
	}
	return nil
}

func etcd(l layout) component {
	return component{"etcd", []string{
		"--data-dir=" + l.etcd(),
		"--listen-client-urls=" + etcdURL,
		"--advertise-client-urls=" + etcdURL,
		"--listen-peer-urls=http://" + loopbackIP + ":2380",
		"--initial-advertise-peer-urls=http://" + loopbackIP + ":2380",
		"--initial-cluster=default=http://" + loopbackIP + ":2380",
		// Nobody else votes, and nothing here must survive a crash of the machine.
		"--heartbeat-interval=500", "--election-timeout=2500",
		"--unsafe-no-fsync",
	}}
}

func apiServer(l layout) component {
	return component{"kube-apiserver", []string{
		"--etcd-servers=" + etcdURL,
		"--bind-address=" + hostIP,
		"--advertise-address=" + hostIP,
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=" + serviceCIDR,
		"--allow-privileged=true",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction", // besides the default ones
		"--client-ca-file=" + l.config("ca.crt"),
		"--tls-cert-file=" + l.config("apiserver.crt"),
		"--tls-private-key-file=" + l.config("apiserver.key"),
		"--kubelet-certificate-authority=" + l.config("ca.crt"),
		"--kubelet-client-certificate=" + l.config("kubelet-client.crt"),
		"--kubelet-client-key=" + l.config("kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + l.config("accounts.key"),
		"--service-account-signing-key-file=" + l.config("accounts.key"),
	}}
}

func controllerManager(l layout) component {
	return component{"kube-controller-manager", []string{
		"--kubeconfig=" + l.config("kube-controller-manager.conf"),
		"--bind-address=" + loopbackIP,
		"--leader-elect=false",
		"--root-ca-file=" + l.config("ca.crt"),
		"--cluster-signing-cert-file=" + l.config("ca.crt"),
		"--cluster-signing-key-file=" + l.config("ca.key"),
		"--service-account-private-key-file=" + l.config("accounts.key"),
		"--use-service-account-credentials=true",
		// The default is below /usr, on the machine.
		"--flex-volume-plugin-dir=" + l.config("volume-plugins"),
	}}
}

func scheduler(l layout) component {
	return component{"kube-scheduler", []string{
		"--kubeconfig=" + l.config("kube-scheduler.conf"),
		"--bind-address=" + loopbackIP,
		"--leader-elect=false",
	}}
}

// controlPlane is every component, each after those that it needs.
func controlPlane(l layout) []component {
	return []component{etcd(l), apiServer(l), controllerManager(l), scheduler(l)}
}
