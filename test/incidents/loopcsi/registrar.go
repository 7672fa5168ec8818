//go:build linux

package main

import (
	"context"
	"fmt"
	"os"

	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// registrar tells the kubelet of the driver: the kubelet asks whoever has a
// socket in its plugins_registry.
type registrar struct {
	registration.UnimplementedRegistrationServer
	name, socket string
}

// GetInfo names the driver and its socket.
func (r *registrar) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{Type: registration.CSIPlugin, Name: r.name, Endpoint: r.socket, SupportedVersions: []string{"1.0.0"}}, nil
}

// NotifyRegistrationStatus is told whether the kubelet took it.
func (r *registrar) NotifyRegistrationStatus(_ context.Context, s *registration.RegistrationStatus) (*registration.RegistrationStatusResponse, error) {
	if !s.GetPluginRegistered() {
		fmt.Fprintln(os.Stderr, "loopcsi: the kubelet refused:", s.GetError())
	}
	return &registration.RegistrationStatusResponse{}, nil
}
