//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// driver is a CSI node plugin (https://github.com/container-storage-interface/spec).
type driver struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedNodeServer
	name, node, data, kubelet string
}

// GetPluginInfo names the driver.
func (d *driver) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: d.name, VendorVersion: "1"}, nil
}

// GetPluginCapabilities: there is no controller.
func (d *driver) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	return &csi.GetPluginCapabilitiesResponse{}, nil
}

// Probe is always well.
func (d *driver) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{}, nil
}

// NodeGetInfo names the node.
func (d *driver) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: d.node}, nil
}

// NodeGetCapabilities: volumes are staged before they are published.
func (d *driver) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	stages := &csi.NodeServiceCapability{Type: &csi.NodeServiceCapability_Rpc{
		Rpc: &csi.NodeServiceCapability_RPC{Type: csi.NodeServiceCapability_RPC_STAGE_UNSTAGE_VOLUME}}}
	return &csi.NodeGetCapabilitiesResponse{Capabilities: []*csi.NodeServiceCapability{stages}}, nil
}

// NodeStageVolume attaches the volume's image to a loop device, and mounts that
// unless it is a block volume.
func (d *driver) NodeStageVolume(_ context.Context, r *csi.NodeStageVolumeRequest) (*csi.NodeStageVolumeResponse, error) {
	device, err := d.attach(r.GetVolumeId())
	if err == nil && r.GetVolumeCapability().GetBlock() == nil {
		err = mount(r.GetStagingTargetPath(), device)
	}
	return &csi.NodeStageVolumeResponse{}, failed(err)
}

// NodeUnstageVolume undoes it.
func (d *driver) NodeUnstageVolume(_ context.Context, r *csi.NodeUnstageVolumeRequest) (*csi.NodeUnstageVolumeResponse, error) {
	return &csi.NodeUnstageVolumeResponse{}, failed(errors.Join(unmount(r.GetStagingTargetPath()), d.detach(r.GetVolumeId())))
}

// NodePublishVolume binds the staged directory, or the device, into a pod. An
// inline volume was not staged: it is mounted there, and is nowhere else.
func (d *driver) NodePublishVolume(_ context.Context, r *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	target := r.GetTargetPath()
	if r.GetVolumeContext()["csi.storage.k8s.io/ephemeral"] == "true" {
		device, err := d.attach(r.GetVolumeId())
		if err == nil {
			err = mount(target, device)
		}
		return &csi.NodePublishVolumeResponse{}, failed(err)
	}
	source := r.GetStagingTargetPath()
	if r.GetVolumeCapability().GetBlock() != nil {
		device, err := d.attach(r.GetVolumeId())
		if err != nil {
			return nil, failed(err)
		}
		source = device
		if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
			return nil, failed(err)
		}
		if err := os.WriteFile(target, nil, 0o600); err != nil && !os.IsExist(err) {
			return nil, failed(err)
		}
	}
	return &csi.NodePublishVolumeResponse{}, failed(mount(target, "--bind", source))
}

// NodeUnpublishVolume undoes it. Whether the volume was an inline one nobody
// says; the device of another one is busy, and goes when it is unstaged.
func (d *driver) NodeUnpublishVolume(_ context.Context, r *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	err := unmount(r.GetTargetPath())
	if err == nil {
		err = os.RemoveAll(r.GetTargetPath())
	}
	if err == nil && inline(r.GetVolumeId()) {
		err = d.detach(r.GetVolumeId())
	}
	return &csi.NodeUnpublishVolumeResponse{}, failed(err)
}

func failed(err error) error {
	if err == nil {
		return nil
	}
	return status.Error(codes.Internal, err.Error())
}
