package incidents

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Undo puts back what was done, the last thing first. Each step must work
// whether or not its thing was done, and whoever has undone it since.
type Undo struct {
	steps []func(context.Context) error
}

// Add has a step done by All. It is called before the thing itself is done, which may
// fail half-way.
func (u *Undo) Add(step func(context.Context) error) { u.steps = append(u.steps, step) }

// All undoes everything, whatever fails.
func (u *Undo) All(ctx context.Context) error {
	var failures []error
	for _, step := range slices.Backward(u.steps) {
		failures = append(failures, step(ctx))
	}
	u.steps = nil
	return errors.Join(failures...)
}

// onNode undoes by a shell script.
func (u *Undo) onNode(c *Cluster, node, script string) {
	u.Add(func(ctx context.Context) error {
		_, err := c.OnNode(ctx, node, "sh", "-c", script)
		return err
	})
}

// unmount unmounts all at and below directories of a node, and removes them.
func (u *Undo) unmount(c *Cluster, node string, directories ...string) {
	u.Add(func(ctx context.Context) error {
		if _, err := c.OnNode(ctx, node, append([]string{actorOnNode, "unmount"}, directories...)...); err != nil {
			return err // and by no means remove what may still be mounted
		}
		// The kernel may say for a moment yet that a mount point is busy.
		_, err := c.OnNode(ctx, node, append([]string{"sh", "-c", `for try in $(seq 50); do rm -rf --one-file-system -- "$@" && exit; sleep 0.1; done; exit 1`, "sh"}, directories...)...)
		return err
	})
}

// LoopDevices removes the loop devices that there are more by then: the kernel
// keeps them, free.
func (c *Cluster) LoopDevices(u *Undo) error {
	before, err := filepath.Glob("/sys/block/loop*")
	u.Add(func(ctx context.Context) error {
		return exec.CommandContext(ctx, filepath.Join(c.Tools, "actor"), "remove-loops", strconv.Itoa(len(before))).Run()
	})
	return err
}

// TemporaryNamespace makes a namespace, which is deleted with all that is in it.
func (c *Cluster) TemporaryNamespace(ctx context.Context, u *Undo, name string) error {
	u.Add(func(ctx context.Context) error {
		if err := c.Client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			return err
		}
		return poll(ctx, "namespace "+name+" goes", func(ctx context.Context) bool {
			_, err := c.Client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		})
	})
	if err := c.Namespace(ctx, name); err != nil {
		return err
	}
	// Pods are refused until it is there.
	return poll(ctx, "service account of "+name, func(ctx context.Context) bool {
		_, err := c.Client.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
		return err == nil
	})
}
