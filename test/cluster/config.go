package main

import (
	"bytes"
	"embed"
	"encoding/base64"
	"fmt"
	"text/template"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/pki"
)

//go:embed templates
var templates embed.FS

const pauseImage = "registry.k8s.io/pause:3.10"

type kubeletSettings struct {
	CgroupDriver string
	CgroupRoot   string
	ClusterDNS   string
}

type containerdSettings struct {
	Pause         string
	RestrictOOM   bool
	Snapshotter   string
	SystemdCgroup bool
}

type cniSettings struct {
	PodCIDR string
}

type kubeconfigSettings struct {
	Server, User, Authority, Cert, Key string
}

// render fills in one of the templates.
func render(name string, settings any) ([]byte, error) {
	parsed, err := template.New(name).Option("missingkey=error").ParseFS(templates, "templates/"+name)
	if err != nil {
		return nil, fmt.Errorf("failed to parse template %q: %w", name, err)
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, settings); err != nil {
		return nil, fmt.Errorf("failed to fill in template %q: %w", name, err)
	}
	return out.Bytes(), nil
}

func renderKubeconfig(authority *pki.Authority, user string, groups ...string) ([]byte, error) {
	pair, err := authority.Issue(pki.Subject{User: user, Groups: groups})
	if err != nil {
		return nil, err
	}
	encode := base64.StdEncoding.EncodeToString
	return render("kubeconfig.yaml", kubeconfigSettings{
		Server:    apiserver,
		User:      user,
		Authority: encode(authority.Cert),
		Cert:      encode(pair.Cert),
		Key:       encode(pair.Key),
	})
}
