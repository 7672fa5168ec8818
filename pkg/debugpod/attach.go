package debugpod

import (
	"context"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"
)

// streams are our ends of the container's standard streams.
type streams struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// attachFunc carries the streams until the container ends or ctx does.
type attachFunc func(ctx context.Context, s streams) error

// attachTo attaches over WebSocket where that is allowed, and over SPDY where
// it is not, or where something between here and the server refuses it.
func attachTo(c Clients, p *corev1.Pod, webSocket bool) (attachFunc, error) {
	client, err := rest.RESTClientFor(restConfig(c.REST))
	if err != nil {
		return nil, fmt.Errorf("failed to prepare the attach: %w", err)
	}
	url := client.Post().Namespace(p.Namespace).Resource("pods").Name(p.Name).SubResource("attach").
		VersionedParams(&corev1.PodAttachOptions{Container: containerName, Stdin: true, Stdout: true, Stderr: true},
			scheme.ParameterCodec).URL()
	executor, err := remotecommand.NewSPDYExecutor(c.REST, "POST", url)
	if err != nil {
		return nil, fmt.Errorf("failed to prepare the attach: %w", err)
	}
	if webSocket {
		first, err := remotecommand.NewWebSocketExecutor(c.REST, "GET", url.String())
		if err != nil {
			return nil, fmt.Errorf("failed to prepare the attach: %w", err)
		}
		executor, err = remotecommand.NewFallbackExecutor(first, executor, func(err error) bool {
			return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
		})
		if err != nil {
			return nil, fmt.Errorf("failed to prepare the attach: %w", err)
		}
	}
	return func(ctx context.Context, s streams) error {
		// client-go would log that stdin was closed under it, which is how a
		// session ends.
		ctx = klog.NewContext(ctx, klog.Logger{})
		return executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: s.stdin, Stdout: s.stdout, Stderr: s.stderr})
	}, nil
}

// restConfig is c for the core API group.
func restConfig(c *rest.Config) *rest.Config {
	c = rest.CopyConfig(c)
	c.APIPath = "/api"
	c.GroupVersion = &corev1.SchemeGroupVersion
	c.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	return c
}
