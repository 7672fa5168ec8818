package main

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/pki"
)

func TestRender(t *testing.T) {
	tests := []struct {
		template string
		settings any
		want     []string
	}{
		{"kubelet.yaml", kubeletSettings{CgroupDriver: "systemd", CgroupRoot: "/nd-node-3", ClusterDNS: "10.0.0.10"}, []string{"\ncgroupDriver: systemd\n", "\ncgroupRoot: /nd-node-3\n", "\nclusterDNS: [10.0.0.10]\n"}},
		{"containerd.toml", containerdSettings{Pause: "p:1", RestrictOOM: true, Snapshotter: "native"}, []string{
			`sandbox_image = "p:1"`, "restrict_oom_score_adj = true", `snapshotter = "native"`,
		}},
		{"kubelet.service", kubeletServiceSettings{IP: "10.0.0.3"}, []string{"--node-ip=10.0.0.3\n"}},
		{"eth0.network", vmNetworkSettings{IP: "10.0.0.3", Host: "10.0.0.1", Others: []plannedNode{{IP: "10.0.0.4", PodCIDR: "10.4.0.0/24"}}}, []string{
			"\nAddress=10.0.0.3/24\nGateway=10.0.0.1\n", "\n[Route]\nDestination=10.4.0.0/24\nGateway=10.0.0.4\n",
		}},
		{"cni.json", cniSettings{PodCIDR: "10.9.8.0/24"}, []string{`{"subnet": "10.9.8.0/24"}`}},
	}
	for _, test := range tests {
		t.Run(test.template, func(t *testing.T) {
			got, err := render(test.template, test.settings)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(string(got), want) {
					t.Errorf("%q is missing from:\n%s", want, got)
				}
			}
			if strings.HasSuffix(test.template, ".json") && !json.Valid(got) {
				t.Errorf("not JSON:\n%s", got)
			}
		})
	}
}

func TestRenderKubeconfigHoldsAPair(t *testing.T) {
	authority, err := pki.NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	config, err := renderKubeconfig(authority, "system:node:n1", "system:nodes")
	if err != nil {
		t.Fatal(err)
	}
	field := func(name string) []byte {
		found := regexp.MustCompile(name + `: (\S+)`).FindSubmatch(config)
		if found == nil {
			t.Fatalf("%s is missing from:\n%s", name, config)
		}
		value, err := base64.StdEncoding.DecodeString(string(found[1]))
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	pair, err := tls.X509KeyPair(field("client-certificate-data"), field("client-key-data"))
	if err != nil {
		t.Fatal(err)
	}
	if got := pair.Leaf.Subject.CommonName; got != "system:node:n1" {
		t.Errorf("the certificate is %q's", got)
	}
}

func TestPlan(t *testing.T) {
	nodes, err := plan(maxNodes)
	if err != nil {
		t.Fatal(err)
	}
	machines, err := planVMs(maxVMs)
	if err != nil {
		t.Fatal(err)
	}
	nodes = append(nodes, machines...)
	seen := map[string]bool{}
	for _, n := range nodes {
		for _, value := range []string{n.Name, n.IP, n.PodCIDR, n.mac()} {
			if seen[value] {
				t.Errorf("%s is given twice", value)
			}
			seen[value] = true
		}
	}
	if nodes[0] != (plannedNode{Name: "nd-node-1", IP: "10.213.0.11", PodCIDR: "10.213.1.0/24"}) {
		t.Errorf("unexpected first node %+v", nodes[0])
	}
	for _, count := range []int{-1, maxVMs + 1} {
		if _, err := planVMs(count); err == nil {
			t.Errorf("%d virtual machines are planned", count)
		}
	}
	for _, count := range []int{-1, 0, maxNodes + 1} {
		if _, err := plan(count); err == nil {
			t.Errorf("%d nodes are planned", count)
		}
	}
}
