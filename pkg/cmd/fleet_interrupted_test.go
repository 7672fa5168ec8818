package cmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

// A pod may take half a minute to go, and whoever waits may press Ctrl-C again: what
// the others have said is told before that.
func TestInterruptedFleetTellsBeforeItsPodsAreGone(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	told := make(chan []visit[string], 1)
	var two sync.WaitGroup // are asked when it ends
	two.Add(2)
	targets := append(targetsNamed("a", "b", "c"), target{node: "win", state: printer.NodeSkipped, reason: "windows"})
	visits := visitUntil(ctx, targets, 3, func(ctx context.Context, node string) (string, error) {
		if node == "a" {
			two.Wait()
			return "mounts", nil
		}
		two.Done()
		<-ctx.Done()
		told <- <-told // its pod goes only then
		if node == "b" {
			return "late", nil
		}
		return "", fmt.Errorf("%w; and %w", context.Cause(ctx), &debugpod.PodLeftError{Err: errors.New("pod p may be left")})
	}, func(t tally) {
		if t.done == 1 {
			cancel(errInterrupted)
		}
	}, func(now []visit[string]) { told <- now })
	now := <-told
	want := "a answered, b missing, c missing, win skipped"
	if got := states(now); got != want || now[0].value != "mounts" || now[2].reason != reasonInterrupted {
		t.Errorf("told %s, want %s", got, want)
	}
	if got := states(visits); got != want {
		t.Errorf("in the end %s, want what was told: %s", got, want)
	}
	if err := fleetError(visits); err == nil || err.Error() != "c: pod p may be left" {
		t.Errorf("got %v", err)
	}
}

func TestWhoWasNotAskedIsNotInterrupted(t *testing.T) {
	targets := targetsNamed("a", "b")
	began := make([]atomic.Bool, 2)
	began[0].Store(true)
	now := soFar(targets, make([]visit[int], 2), make([]bool, 2), began)
	if now[0].reason != reasonInterrupted || now[1].reason != reasonNotAsked || states(now) != "a missing, b missing" {
		t.Errorf("got %+v", now)
	}
}

// A second Ctrl-C leaves no half-written file either.
func TestKeeperIsClosedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.json")
	k, err := newKeeper(path)
	if err != nil {
		t.Fatal(err)
	}
	k.add(leakyNode("a", 1))
	if err := k.close(nil); err != nil {
		t.Fatal(err)
	}
	k.add(leakyNode("b", 1))
	if err := k.close(nil); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if items, err := saved.ReadAll(path, nil); err != nil || len(items) != 1 {
		t.Errorf("got %+v, %v", items, err)
	}
}
