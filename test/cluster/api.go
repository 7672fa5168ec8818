package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// api asks the API server the few things that `up` waits for.
type api struct {
	server string
	client *http.Client
}

// newAPI borrows the API server's own identity towards kubelets, which may do anything.
func newAPI(l layout) (api, error) {
	certificate, err := tls.LoadX509KeyPair(l.config("kubelet-client.crt"), l.config("kubelet-client.key"))
	if err != nil {
		return api{}, fmt.Errorf("failed to read the client certificate: %w", err)
	}
	authority, err := os.ReadFile(l.config("ca.crt"))
	if err != nil {
		return api{}, fmt.Errorf("failed to read the authority: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}}}
	return api{server: apiserver, client: &http.Client{Transport: transport, Timeout: 5 * time.Second}}, nil
}

func (a api) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.server+path, nil)
	if err != nil {
		return nil, fmt.Errorf("failed to ask for %q: %w", path, err)
	}
	response, err := a.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("failed to ask for %q: %w", path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("failed to read %q: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("failed to read %q: %s", path, response.Status)
	}
	return body, nil
}

func (a api) ready(ctx context.Context) error {
	_, err := a.get(ctx, "/readyz")
	return err
}

func (a api) defaultServiceAccount(ctx context.Context) error {
	_, err := a.get(ctx, "/api/v1/namespaces/default/serviceaccounts/default")
	return err
}

// nodeObject is what matters of a Node.
type nodeObject struct {
	Spec struct {
		Taints []struct {
			Key string `json:"key"`
		} `json:"taints"`
	} `json:"spec"`
	Status struct {
		Conditions []struct {
			Type    string `json:"type"`
			Status  string `json:"status"`
			Message string `json:"message"`
		} `json:"conditions"`
	} `json:"status"`
}

func (a api) nodeReady(ctx context.Context, name string) error {
	body, err := a.get(ctx, "/api/v1/nodes/"+name)
	if err != nil {
		return err
	}
	var object nodeObject
	if err := json.Unmarshal(body, &object); err != nil {
		return fmt.Errorf("failed to decode node %q: %w", name, err)
	}
	return object.ready()
}

// ready says why the scheduler would not use the node.
func (o nodeObject) ready() error {
	for _, condition := range o.Status.Conditions {
		if condition.Type == "Ready" && condition.Status != "True" {
			return fmt.Errorf("not ready: %s", condition.Message)
		}
	}
	if len(o.Status.Conditions) == 0 {
		return errors.New("not ready: no conditions yet")
	}
	for _, taint := range o.Spec.Taints {
		return fmt.Errorf("tainted: %s", taint.Key)
	}
	return nil
}

// await tries until it works. It gives up at the deadline, and at once if one of the daemons that it takes has ended.
func await(parent context.Context, what string, patience time.Duration, needs []daemon, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(parent, patience)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if parent.Err() != nil {
			return fmt.Errorf("failed to wait for %s: %w", what, context.Cause(parent))
		}
		for _, d := range needs {
			if dead := d.check(); dead != nil {
				return dead
			}
		}
		select {
		case <-ctx.Done():
			return needs[len(needs)-1].blame(fmt.Errorf("failed to wait for %s for %s: %w", what, patience, err))
		case <-time.After(200 * time.Millisecond):
		}
	}
}
