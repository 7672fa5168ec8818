package cmd

import (
	"fmt"
	"net/http"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// freshCredentials sends a request again, once, that was answered 401: a token
// that expires during a run is refreshed by client-go, but only the request
// after the refused one gets it, and that may be one too late to delete the
// pod. Such an answer means that nothing was done.
type freshCredentials struct{ next http.RoundTripper }

func (f freshCredentials) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := f.next.RoundTrip(r)
	if err != nil || answer.StatusCode != http.StatusUnauthorized || r.Body != nil && r.GetBody == nil {
		return answer, err
	}
	again := r.Clone(r.Context())
	if r.GetBody != nil {
		if again.Body, err = r.GetBody(); err != nil {
			return answer, nil //nolint:nilerr // the answer stands
		}
	}
	_ = answer.Body.Close()
	return f.next.RoundTrip(again)
}

// newClient is one whose credentials may expire while it is used.
func newClient(config *rest.Config) (kubernetes.Interface, error) {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("failed to use the kubeconfig: %w", err)
	}
	client.Transport = freshCredentials{client.Transport}
	kube, err := kubernetes.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, fmt.Errorf("failed to use the kubeconfig: %w", err)
	}
	return kube, nil
}
