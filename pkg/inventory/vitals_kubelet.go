package inventory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// maxVital bounds an answer of the kubelet's that is read, in bytes: metrics of 250
// pods are less than 2 MiB.
const maxVital = 16 << 20

// vitalEndpoint is an endpoint, and what its answer tells beyond that it came.
type vitalEndpoint struct {
	name  string
	asks  string // whom, in words
	parse func(v *Vitals, body []byte, date time.Time) (keep func(), err error)
}

// Names of endpoints. healthz asks nobody else; runningpods asks the runtime's daemon
// for what it remembers; for stats/summary that asks its shims, which wait for runc.
const (
	endpointHealthz = "healthz"
	endpointPods    = "runningpods"
	endpointSummary = "stats/summary"
)

func vitalEndpoints() []vitalEndpoint {
	return []vitalEndpoint{
		{name: endpointHealthz, asks: "kubelet, healthz"},
		{name: endpointPods, asks: "runtime's daemon, by the kubelet's runningpods"},
		{name: endpointSummary, asks: "its shims, by the kubelet's stats/summary"},
		{name: "metrics", asks: "kubelet, metrics", parse: (*Vitals).readMetrics},
		{name: "configz", asks: "kubelet, configz", parse: (*Vitals).readSettings},
	}
}

func (v *Vitals) endpoint(name string) Endpoint {
	for _, e := range v.Endpoints {
		if e.Name == name {
			return e
		}
	}
	return Endpoint{}
}

func (a *vitalsAsker) askEndpoint(e vitalEndpoint, to *Endpoint) question {
	return question{
		ask: func(ctx context.Context) (func(), error) {
			began := time.Now()
			body, date, err := kubeletAnswer(ctx, a.client, a.node, e.name)
			if err != nil {
				return nil, err
			}
			keep := func() {}
			if e.parse != nil {
				if keep, err = e.parse(a.out, body, date); err != nil {
					return nil, notUnderstoodError{err}
				}
			}
			took := time.Since(began).Milliseconds()
			return func() { keep(); to.State, to.Millis = Answers, took }, nil
		},
		failed: func(err error) { to.State, to.Error = endpointState(err), report.Escape(told("", err.Error())) },
	}
}

// notUnderstoodError: the kubelet has answered, in another way than expected.
type notUnderstoodError struct{ error }

func (e notUnderstoodError) Error() string {
	return fmt.Sprintf("its answer is not understood: %v", e.error)
}

// endpointState: an error of the kubelet's own is an answer, too. What the API server
// says where it does not reach it is a 502, 503 or 504.
func endpointState(err error) EndpointState {
	var status apierrors.APIStatus
	if _, late := errors.AsType[lateError](err); late {
		return Late
	}
	if _, answered := errors.AsType[notUnderstoodError](err); answered {
		return Refuses
	}
	if !errors.As(err, &status) {
		return Unreachable
	}
	switch code := status.Status().Code; {
	case code == http.StatusBadGateway, code == http.StatusServiceUnavailable, code == http.StatusGatewayTimeout:
		return Unreachable
	case apierrors.IsForbidden(err) && !strings.Contains(err.Error(), "subresource="): // the kubelet's own words name that
		return Forbidden
	}
	return Refuses
}

// kubeletAnswer gets a path of the kubelet through the API server's proxy; date is by
// the kubelet's clock, zero where it does not say.
func kubeletAnswer(ctx context.Context, client kubernetes.Interface, node, path string) (body []byte, date time.Time, err error) {
	by, ok := client.CoreV1().RESTClient().(*rest.RESTClient)
	if !ok || by == nil || by.Client == nil {
		return nil, date, errors.New("there is no way to ask")
	}
	url := by.Get().Resource("nodes").Name(node).SubResource("proxy").Suffix(path).URL()
	if path == endpointPods { // the kubelet serves it with the slash only
		url.Path += "/"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url.String(), nil)
	if err != nil {
		return nil, date, err
	}
	got, err := by.Client.Do(request)
	if err != nil {
		return nil, date, err
	}
	defer got.Body.Close()
	body, err = io.ReadAll(io.LimitReader(got.Body, maxVital+1))
	switch {
	case err != nil:
		return nil, date, err
	case got.StatusCode != http.StatusOK:
		return nil, date, apierrors.NewGenericServerResponse(got.StatusCode, "get", schema.GroupResource{Resource: "nodes"}, node, string(bytes.TrimSpace(body[:min(len(body), 4096)])), 0, true)
	case len(body) > maxVital:
		return nil, date, fmt.Errorf("it is larger than %d MiB", maxVital>>20)
	}
	date, _ = http.ParseTime(got.Header.Get("Date"))
	return body, date, nil
}

// readSettings of configz: the configuration that is in force.
func (v *Vitals) readSettings(body []byte, _ time.Time) (func(), error) {
	var answer struct {
		Config *KubeletSettings `json:"kubeletconfig"`
	}
	if err := report.UnmarshalUntrusted(body, &answer); err != nil {
		return nil, err
	}
	if answer.Config == nil {
		return nil, errors.New("it has no kubeletconfig")
	}
	return func() { v.Settings = answer.Config }, nil
}
