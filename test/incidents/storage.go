package incidents

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
)

// Volume makes a PersistentVolume and a claim of the same name that is bound to
// it.
func (c *Cluster) Volume(ctx context.Context, u *Undo, namespace, name string, spec corev1.PersistentVolumeSpec) error {
	if err := c.PersistentVolume(ctx, u, namespace, name, name, spec); err != nil {
		return err
	}
	claims := c.Client.CoreV1().PersistentVolumeClaims(namespace)
	if _, err := claims.Create(ctx, &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: Claim(name, spec.VolumeMode)}, metav1.CreateOptions{}); err != nil {
		return err
	}
	// A kubelet that finds a claim unbound looks again only many seconds later.
	return poll(ctx, "claim "+name+" is bound", func(ctx context.Context) bool {
		claim, err := claims.Get(ctx, name, metav1.GetOptions{})
		return err == nil && claim.Status.Phase == corev1.ClaimBound
	})
}

// Claim is a claim's spec for one volume; "" leaves the choice to the API server.
func Claim(volume string, mode *corev1.PersistentVolumeMode) corev1.PersistentVolumeClaimSpec {
	none := "" // no storage class: nobody provisions
	return corev1.PersistentVolumeClaimSpec{VolumeName: volume, StorageClassName: &none, VolumeMode: mode,
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
		Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Mi")}}}
}

// PersistentVolume makes one for a claim.
func (c *Cluster) PersistentVolume(ctx context.Context, u *Undo, namespace, claim, name string, spec corev1.PersistentVolumeSpec) error {
	spec.ClaimRef = &corev1.ObjectReference{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: namespace, Name: claim}
	spec.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Mi")}
	spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
	spec.PersistentVolumeReclaimPolicy = corev1.PersistentVolumeReclaimRetain
	u.Add(func(ctx context.Context) error { return c.ForgetVolume(ctx, namespace, claim, name) })
	volumes := c.Client.CoreV1().PersistentVolumes()
	if _, err := volumes.Create(ctx, &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}, metav1.CreateOptions{}); err != nil {
		return err
	}
	// A controller that sees the claim first looks again only many seconds later.
	return poll(ctx, "volume "+name+" is available", func(ctx context.Context) bool {
		v, err := volumes.Get(ctx, name, metav1.GetOptions{})
		return err == nil && v.Status.Phase != "" && v.Status.Phase != corev1.VolumePending
	})
}

// poll waits for something that takes a moment.
func poll(ctx context.Context, what string, done func(context.Context) bool) error {
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) { return done(ctx), nil })
	if err != nil {
		return fmt.Errorf("not in time: %s: %w", what, err)
	}
	return nil
}

// ForgetVolume removes a volume and its claim from the API, whoever uses it.
func (c *Cluster) ForgetVolume(ctx context.Context, namespace, claim, name string) error {
	const unprotected = `{"metadata":{"finalizers":null}}`
	claims, volumes := c.Client.CoreV1().PersistentVolumeClaims(namespace), c.Client.CoreV1().PersistentVolumes()
	return poll(ctx, "volume "+name+" goes", func(ctx context.Context) bool {
		_ = claims.Delete(ctx, claim, metav1.DeleteOptions{})
		_ = volumes.Delete(ctx, name, metav1.DeleteOptions{})
		// A controller may put its finalizer there once more.
		_, noClaim := claims.Patch(ctx, claim, types.MergePatchType, []byte(unprotected), metav1.PatchOptions{})
		_, noVolume := volumes.Patch(ctx, name, types.MergePatchType, []byte(unprotected), metav1.PatchOptions{})
		return apierrors.IsNotFound(noClaim) && apierrors.IsNotFound(noVolume)
	})
}

// ForgetPod removes a pod from the API at once, whatever the kubelet still has.
func (c *Cluster) ForgetPod(ctx context.Context, namespace, name string) error {
	now := int64(0)
	err := c.Client.CoreV1().Pods(namespace).Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &now})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// CSI is a volume of a driver.
func CSI(driver, handle string) corev1.PersistentVolumeSpec {
	return corev1.PersistentVolumeSpec{PersistentVolumeSource: corev1.PersistentVolumeSource{
		CSI: &corev1.CSIPersistentVolumeSource{Driver: driver, VolumeHandle: handle}}}
}

// Local is a directory or a device of one node.
func Local(node, path string) corev1.PersistentVolumeSpec {
	return corev1.PersistentVolumeSpec{
		PersistentVolumeSource: corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: path}},
		NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{node}}}}}}},
	}
}

// Block has a volume's device mapped, not mounted.
func Block(spec corev1.PersistentVolumeSpec) corev1.PersistentVolumeSpec {
	block := corev1.PersistentVolumeBlock
	spec.VolumeMode = &block
	return spec
}

// WithClaim gives a pod's containers a claim's volume at /CLAIM.
func WithClaim(spec corev1.PodSpec, claim string) corev1.PodSpec {
	return WithVolume(spec, claim, corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}})
}

// WithVolume gives a pod's containers a volume at /NAME.
func WithVolume(spec corev1.PodSpec, name string, source corev1.VolumeSource) corev1.PodSpec {
	spec.Volumes = append(spec.Volumes, corev1.Volume{Name: name, VolumeSource: source})
	for i := range spec.Containers {
		spec.Containers[i].VolumeMounts = append(spec.Containers[i].VolumeMounts, corev1.VolumeMount{Name: name, MountPath: "/" + name})
	}
	return spec
}

// Attach plays the external attacher: it says that a driver's volumes are
// attached wherever the attach-detach controller wants them, until ctx ends.
func (c *Cluster) Attach(ctx context.Context, driver string) {
	attachments := c.Client.StorageV1().VolumeAttachments()
	_ = wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		list, err := attachments.List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, nil //nolint:nilerr // asked again
		}
		for _, a := range list.Items {
			if a.Spec.Attacher == driver && !a.Status.Attached {
				_, _ = attachments.Patch(ctx, a.Name, types.MergePatchType, []byte(`{"status":{"attached":true}}`), metav1.PatchOptions{}, "status")
			}
		}
		return false, nil
	})
}

// removed waits until the kubelet has taken a pod's volumes down, and what else of
// it is mounted, and removed its directory: before that it is a leftover.
func (c *Cluster) removed(ctx context.Context, node, uid string, mounted ...string) error {
	return poll(ctx, "the kubelet of "+node+" removes pod "+uid, func(ctx context.Context) bool {
		words := strings.Join(append(mounted, uid), " -e ")
		_, err := c.OnNode(ctx, node, "sh", "-c", "! grep -qF -e "+words+" /proc/self/mountinfo && ! test -e /var/lib/kubelet/pods/"+uid)
		return err == nil
	})
}

// ForgetDeployment deletes one, and waits for its pods to be gone.
func (c *Cluster) ForgetDeployment(ctx context.Context, namespace, name string) error {
	err := c.Client.AppsV1().Deployments(namespace).Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	return c.gone(ctx, namespace, "app="+name)
}
