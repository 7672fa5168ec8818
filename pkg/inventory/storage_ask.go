package inventory

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/pager"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// AskStorage lists the cluster's PersistentVolumes, VolumeAttachments and
// CSIDrivers, once for as many nodes as there are. It is to be asked after the
// last node's report: a volume made meanwhile would else look as if it were
// gone. It does not fail: what could not be asked is said in the result.
func AskStorage(ctx context.Context, client kubernetes.Interface) *Storage {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s := &Storage{}
	volumes, attachments, drivers := client.CoreV1().PersistentVolumes(), client.StorageV1().VolumeAttachments(), client.StorageV1().CSIDrivers()
	s.PersistentVolumes, s.VolumesError = listAll(ctx, fromPersistentVolume, func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return volumes.List(ctx, o) })
	s.Attachments, s.AttachmentsError = listAll(ctx, fromAttachment, func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		return attachments.List(ctx, o)
	})
	s.Drivers, s.DriversError = listAll(ctx, fromDriver, func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return drivers.List(ctx, o) })
	return s
}

// listAll lists from the watch cache (resource version 0), page by page where a
// server pages these. Half a list is none.
func listAll[Object runtime.Object, Kept any](ctx context.Context, keep func(Object) Kept, list pager.ListPageFunc) ([]Kept, string) {
	var kept []Kept
	err := pager.New(list).EachListItem(ctx, metav1.ListOptions{ResourceVersion: "0"}, func(o runtime.Object) error {
		item, ok := o.(Object)
		if !ok {
			return fmt.Errorf("the API server listed a %T", o)
		}
		kept = append(kept, keep(item))
		return nil
	})
	if err != nil {
		return nil, report.Escape(err.Error())
	}
	return kept, ""
}

func fromPersistentVolume(p *corev1.PersistentVolume) PersistentVolume {
	v := PersistentVolume{Name: p.Name, Phase: string(p.Status.Phase)}
	driver, handle := volumeSource(&p.Spec.PersistentVolumeSource)
	v.Driver, v.Handle = report.Escape(driver), report.Escape(handle)
	if claim := p.Spec.ClaimRef; claim != nil {
		v.Claim = report.Escape(claim.Namespace + "/" + claim.Name)
	}
	return v
}

// volumeSource is the driver of a PersistentVolume, and by what the driver knows
// it: the in-tree plugins that attach disks name directories after that.
func volumeSource(s *corev1.PersistentVolumeSource) (driver, handle string) {
	switch {
	case s.CSI != nil:
		return s.CSI.Driver, s.CSI.VolumeHandle
	case s.AWSElasticBlockStore != nil:
		return "kubernetes.io/aws-ebs", s.AWSElasticBlockStore.VolumeID
	case s.GCEPersistentDisk != nil:
		return "kubernetes.io/gce-pd", s.GCEPersistentDisk.PDName
	case s.AzureDisk != nil:
		return "kubernetes.io/azure-disk", s.AzureDisk.DataDiskURI
	case s.Cinder != nil:
		return "kubernetes.io/cinder", s.Cinder.VolumeID
	case s.VsphereVolume != nil:
		return "kubernetes.io/vsphere-volume", s.VsphereVolume.VolumePath
	case s.RBD != nil:
		return "kubernetes.io/rbd", s.RBD.RBDPool + "-image-" + s.RBD.RBDImage
	case s.FlexVolume != nil:
		return s.FlexVolume.Driver, ""
	}
	return otherSource(s), ""
}

// otherSource names the in-tree plugins that mount without attaching.
func otherSource(s *corev1.PersistentVolumeSource) string {
	switch {
	case s.Local != nil:
		return "kubernetes.io/local-volume"
	case s.NFS != nil:
		return "kubernetes.io/nfs"
	case s.HostPath != nil:
		return "kubernetes.io/host-path"
	case s.ISCSI != nil:
		return "kubernetes.io/iscsi"
	case s.FC != nil:
		return "kubernetes.io/fc"
	case s.CephFS != nil:
		return "kubernetes.io/cephfs"
	case s.AzureFile != nil:
		return "kubernetes.io/azure-file"
	case s.Glusterfs != nil:
		return "kubernetes.io/glusterfs"
	case s.PortworxVolume != nil:
		return "kubernetes.io/portworx-volume"
	}
	return ""
}

func fromAttachment(a *storagev1.VolumeAttachment) Attachment {
	out := Attachment{Name: a.Name, Node: a.Spec.NodeName, Driver: report.Escape(a.Spec.Attacher), Attached: a.Status.Attached}
	if name := a.Spec.Source.PersistentVolumeName; name != nil {
		out.Volume = report.Escape(*name)
	}
	if e := a.Status.DetachError; e != nil {
		out.DetachError = said(e.Message)
	}
	return out
}

// fromDriver: attachRequired is true where it is not given.
func fromDriver(d *storagev1.CSIDriver) Driver {
	return Driver{Name: d.Name, Attaches: d.Spec.AttachRequired == nil || *d.Spec.AttachRequired}
}
