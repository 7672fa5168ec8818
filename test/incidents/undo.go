package incidents

import (
	"context"
	"errors"
	"slices"
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
