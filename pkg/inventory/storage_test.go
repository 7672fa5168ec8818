package inventory

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

func persistentVolume(name, claim string, phase corev1.PersistentVolumePhase, source corev1.PersistentVolumeSource) *corev1.PersistentVolume {
	v := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PersistentVolumeSpec{PersistentVolumeSource: source}, Status: corev1.PersistentVolumeStatus{Phase: phase}}
	if claim != "" {
		v.Spec.ClaimRef = &corev1.ObjectReference{Namespace: "prod", Name: claim}
	}
	return v
}

func csi(handle string) corev1.PersistentVolumeSource {
	return corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: "disk.csi.example.com", VolumeHandle: handle}}
}

func TestStorage(t *testing.T) {
	name, no := "pv-1", false
	client := fake.NewClientset(
		persistentVolume("pv-1", "data", corev1.VolumeBound, csi("d-bp1\x1b[2J")),
		persistentVolume("pv-2", "", corev1.VolumeAvailable, corev1.PersistentVolumeSource{NFS: &corev1.NFSVolumeSource{Server: "s", Path: "/e"}}),
		persistentVolume("pv-3", "", corev1.VolumeAvailable, corev1.PersistentVolumeSource{AWSElasticBlockStore: &corev1.AWSElasticBlockStoreVolumeSource{VolumeID: "aws://eu-1a/vol-1"}}),
		&storagev1.VolumeAttachment{ObjectMeta: metav1.ObjectMeta{Name: "csi-1"},
			Spec:   storagev1.VolumeAttachmentSpec{Attacher: "disk.csi.example.com", NodeName: "n1", Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: &name}},
			Status: storagev1.VolumeAttachmentStatus{Attached: true, DetachError: &storagev1.VolumeError{Message: "disk \u202ebusy"}}},
		&storagev1.VolumeAttachment{ObjectMeta: metav1.ObjectMeta{Name: "csi-2"}, Spec: storagev1.VolumeAttachmentSpec{NodeName: "n2", Source: storagev1.VolumeAttachmentSource{InlineVolumeSpec: &corev1.PersistentVolumeSpec{}}}},
		&storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: "disk.csi.example.com"}},
		&storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: "nfs.csi.k8s.io"}, Spec: storagev1.CSIDriverSpec{AttachRequired: &no}},
	)
	want := &Storage{
		PersistentVolumes: []PersistentVolume{
			{Name: "pv-1", Driver: "disk.csi.example.com", Handle: `d-bp1\x1b[2J`, Phase: "Bound", Claim: "prod/data"},
			{Name: "pv-2", Driver: "kubernetes.io/nfs", Phase: "Available"},
			{Name: "pv-3", Driver: "kubernetes.io/aws-ebs", Handle: "aws://eu-1a/vol-1", Phase: "Available"}},
		Attachments: []Attachment{
			{Name: "csi-1", Node: "n1", Volume: "pv-1", Driver: "disk.csi.example.com", Attached: true, DetachError: `disk \u202ebusy`},
			{Name: "csi-2", Node: "n2"}},
		Drivers: []Driver{{Name: "disk.csi.example.com", Attaches: true}, {Name: "nfs.csi.k8s.io"}},
	}
	if got := AskStorage(context.Background(), client); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, a := range client.Actions() {
		if list, ok := a.(clienttesting.ListActionImpl); !ok || list.GetListOptions().ResourceVersion != "0" {
			t.Errorf("%+v: resource version 0 spares etcd", a)
		}
	}
}

func TestForbiddenStorageIsSaidPerList(t *testing.T) {
	for resource, errorOf := range map[string]func(*Storage) string{
		"persistentvolumes": func(s *Storage) string { return s.VolumesError },
		"volumeattachments": func(s *Storage) string { return s.AttachmentsError },
		"csidrivers":        func(s *Storage) string { return s.DriversError },
	} {
		client := fake.NewClientset(persistentVolume("pv-1", "", "", csi("d")), pod("p", nil))
		forbid(client, "list", resource)
		inv := NewAsker(client, "n1").WithStorage().Ask(context.Background())
		s := inv.Storage
		if !strings.Contains(errorOf(s), "forbidden") || len(s.VolumesError+s.AttachmentsError+s.DriversError) != len(errorOf(s)) || len(inv.Pods) != 1 {
			t.Errorf("%s: got %+v", resource, inv)
		}
	}
}

// A server pages what is not served from its cache.
func TestHalfAListIsNone(t *testing.T) {
	client, asked := fake.NewClientset(), 0
	client.PrependReactor("list", "persistentvolumes", func(clienttesting.Action) (bool, runtime.Object, error) {
		asked++
		page := &corev1.PersistentVolumeList{ListMeta: metav1.ListMeta{Continue: "more"}, Items: []corev1.PersistentVolume{*persistentVolume("pv-1", "", "", csi("d"))}}
		if asked > 1 {
			return true, nil, context.DeadlineExceeded
		}
		return true, page, nil
	})
	if s := AskStorage(context.Background(), client); s.VolumesError == "" || len(s.PersistentVolumes) > 0 || asked < 2 {
		t.Errorf("got %+v after %d requests", s, asked)
	}
}

func TestPodVolumes(t *testing.T) {
	in := corev1.MountPropagationHostToContainer
	p := pod("web-0", nil)
	p.Spec.Volumes = []corev1.Volume{
		{Name: "host", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/var/lib/"}}},
		{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}},
		{Name: "tmp", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}},
		{Name: "inline", VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{Driver: "secrets.csi"}}},
		{Name: "new", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "unbound"}}}}
	p.Spec.Containers = []corev1.Container{{Name: "app", VolumeMounts: []corev1.VolumeMount{{Name: "host", MountPath: "/host/", MountPropagation: &in, ReadOnly: true}}}}
	p.Spec.InitContainers = []corev1.Container{{Name: "init", VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "relative\n"}}}}
	p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debugger-x", VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/d"}}}}}
	client := fake.NewClientset(p,
		persistentVolume("old", "data", corev1.VolumeReleased, csi("d-0")), persistentVolume("pv-1", "data", corev1.VolumeBound, csi("d-1")), persistentVolume("zzz", "data", corev1.VolumeReleased, csi("d-2")),
		persistentVolume("pv-tmp", "web-0-tmp", corev1.VolumeBound, csi("d-3")))
	want := Pod{Namespace: "prod", Name: "web-0", UID: "uid-of-pod",
		Volumes: []Volume{{Name: "host", HostPath: "/var/lib"}, {Name: "data", Claim: "data", PersistentVolume: "pv-1"}, {Name: "tmp", Claim: "web-0-tmp", PersistentVolume: "pv-tmp"},
			{Name: "inline", Driver: "secrets.csi"}, {Name: "new", Claim: "unbound"}},
		VolumeMounts: []VolumeMount{
			{List: "initContainers", Container: "init", Volume: "data", Path: `/relative\x0a`},
			{List: "containers", Container: "app", Volume: "host", Path: "/host", Propagation: "HostToContainer", ReadOnly: true},
			{List: "ephemeralContainers", Container: "debugger-x", Volume: "data", Path: "/d"}}}
	if got := NewAsker(client, "n1").WithStorage().Ask(context.Background()).Pods; len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := NewAsker(client, "n1").Ask(context.Background()); got.Storage != nil || got.Pods[0].Volumes != nil || got.Pods[0].VolumeMounts != nil {
		t.Errorf("nobody asked for volumes: %+v", got)
	}
	// A fleet asks for storage once, and after all nodes.
	inv := NewAsker(client, "n1").WithVolumes().Ask(context.Background())
	if inv.Storage != nil || inv.Pods[0].Volumes[1].PersistentVolume != "" {
		t.Errorf("got %+v", inv)
	}
	inv.AddStorage(AskStorage(context.Background(), client))
	if !reflect.DeepEqual(inv.Pods[0], want) {
		t.Errorf("got  %+v\nwant %+v", inv.Pods[0], want)
	}
}

func TestPodsThatLeaveWhileTheReportIsMade(t *testing.T) {
	ctx, client := context.Background(), fake.NewClientset()
	pods := client.CoreV1().Pods("prod")
	create := func(name string, uid types.UID, phase corev1.PodPhase) {
		p := pod(name, nil)
		p.UID, p.Status.Phase = uid, phase
		if _, err := pods.Create(ctx, p, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	create("stays", "1", corev1.PodRunning)
	create("is-deleted", "2", corev1.PodRunning)
	create("completes", "3", corev1.PodRunning)
	create("had-ended", "4", corev1.PodFailed)
	create("ended-and-stays", "7", corev1.PodFailed)
	create("is-recreated", "5", corev1.PodPending)
	a := NewAsker(client, "n1")
	a.Before(ctx)
	for _, name := range []string{"is-deleted", "completes", "had-ended", "is-recreated"} {
		if err := pods.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	create("completes", "3", corev1.PodSucceeded)
	create("is-recreated", "6", corev1.PodRunning)
	var got []string
	for _, p := range a.Ask(ctx).Departed {
		got = append(got, p.Name)
	}
	if want := []string{"completes", "had-ended", "is-deleted", "is-recreated"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNothingDepartsWherePodsCouldNotBeListed(t *testing.T) {
	client := fake.NewClientset(pod("p", nil))
	a := NewAsker(client, "n1")
	a.Before(context.Background())
	forbid(client, "list", "pods")
	if inv := a.Ask(context.Background()); inv.PodsError == "" || len(inv.Departed) > 0 {
		t.Errorf("got %+v", inv)
	}
}
