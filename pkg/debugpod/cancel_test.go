package debugpod

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func silent(ctx context.Context, _ *report.FrameReader, _ string, _ streams) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestCancelInEachPhaseLeavesNothing(t *testing.T) {
	for _, phase := range []string{"checking", "creating", "the kubelet", "delivering"} {
		t.Run(phase, func(t *testing.T) {
			c := newFakeCluster(t, testNode(nil))
			if phase == "delivering" {
				c.kubelet = runningAtOnce
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			say := func(s string) {
				if strings.Contains(s, phase) {
					cancel()
				}
			}
			cfg := testConfig()
			cfg.RemoveTimeout = 2 * time.Second
			never := func(Clients, *corev1.Pod, bool) (attachFunc, error) {
				return func(ctx context.Context, _ streams) error { <-ctx.Done(); return ctx.Err() }, nil
			}
			_, err := start(ctx, Clients{Kube: c}, cfg, parts{probe: withProbe, attach: never}, say, say)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			wantGone(t, c)
		})
	}
}

func TestCancelWhileCollectingLeavesNothing(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	c.kubelet = runningAtOnce
	s, _, err := begin(t.Context(), c, silent, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Collect(ctx, report.NewRequest()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wantGone(t, c)
}

func TestStartFailsAndLeavesNothing(t *testing.T) {
	refusing := func(err error) func(Clients, *corev1.Pod, bool) (attachFunc, error) {
		return func(Clients, *corev1.Pod, bool) (attachFunc, error) {
			return func(context.Context, streams) error { return err }, nil
		}
	}
	for name, c := range map[string]struct {
		kubelet func(*corev1.Pod)
		attach  func(Clients, *corev1.Pod, bool) (attachFunc, error)
		want    string
	}{
		"refused by the kubelet": {func(p *corev1.Pod) {
			p.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "OutOfpods"}
		}, nil, "has no room"},
		"never taken up": {nil, nil, "did not start within 1s; last seen: the kubelet has not taken the pod up"},
		"attach refused": {runningAtOnce, refusing(errors.New("error dialing backend")), "failed to start the probe on node \"worker-1\": the stream to the pod broke, running it again may help: error dialing backend"},
		"attach hangs": {runningAtOnce, func(Clients, *corev1.Pod, bool) (attachFunc, error) {
			return func(context.Context, streams) error { select {} }, nil
		}, "the stream stood still for 1s"},
		"half open": {runningAtOnce, func(Clients, *corev1.Pod, bool) (attachFunc, error) {
			return func(ctx context.Context, s streams) error {
				b := make([]byte, 1024)
				for ctx.Err() == nil {
					_, _ = s.stdin.Read(b)
				}
				return ctx.Err()
			}, nil
		}, "no answer within 1s"},
		"mutated after the dry run": {func(p *corev1.Pod) { p.Spec.HostPID = false }, nil, "hostPID changed"},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newFakeCluster(t, testNode(nil))
			cluster.kubelet = c.kubelet
			cfg := testConfig()
			cfg.StartTimeout, cfg.DeliverTimeout, cfg.RemoveTimeout = time.Second, time.Second, 2*time.Second
			s, err := start(t.Context(), Clients{Kube: cluster}, cfg, parts{probe: withProbe, attach: c.attach}, func(string) {}, func(string) {})
			if err == nil || s != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if len(cluster.created) != 1 {
				t.Errorf("%d pods were created", len(cluster.created))
			}
			wantGone(t, cluster)
		})
	}
}

func TestCreateWhoseReplyWasLost(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	c.PrependReactor("create", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if len(a.(clienttesting.CreateActionImpl).GetCreateOptions().DryRun) > 0 {
			return false, nil, nil
		}
		if _, _, err := c.createPod(a); err != nil {
			t.Error(err)
		}
		return true, nil, errors.New("connection reset by peer")
	})
	_, _, err := begin(t.Context(), c, silent, nil)
	if err == nil || !strings.Contains(err.Error(), "connection reset by peer") || len(c.created) != 1 {
		t.Errorf("got %v", err)
	}
	wantGone(t, c)
}

func TestCreateThatWasRefusedLooksForNothing(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	dryRuns := 0
	c.admit = func(*corev1.Pod) error {
		if dryRuns++; dryRuns > 1 {
			return forbidden("exceeded quota")
		}
		return nil
	}
	began := time.Now()
	_, _, err := begin(t.Context(), c, silent, nil)
	if err == nil || !strings.Contains(err.Error(), "exceeded quota") || time.Since(began) > time.Second {
		t.Errorf("got %v after %v", err, time.Since(began))
	}
}

func TestRemovalThatCannotBeConfirmed(t *testing.T) {
	finalizer := func(p *corev1.Pod) { p.Finalizers = []string{"example.com/guard"} }
	for name, c := range map[string]struct {
		kubelet func(*corev1.Pod)
		err     error
		accept  bool
		want    []string
	}{
		"the server is gone":      {err: apierrors.NewInternalError(errors.New("etcd")), want: []string{"could not delete pod", "etcd", "run `kubectl delete pod nodedoc-"}},
		"the permission is gone":  {err: forbidden("no"), want: []string{"could not delete pod", "run `kubectl delete pod nodedoc-"}},
		"the kubelet is silent":   {accept: true, want: []string{"could not confirm", "the kubelet of node \"worker-1\" has not confirmed", "kubectl get pod nodedoc-", "-n default"}},
		"a finalizer holds a pod": {accept: true, kubelet: finalizer, want: []string{"finalizers hold it: [example.com/guard]"}},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newFakeCluster(t, testNode(nil))
			cluster.kubelet = func(p *corev1.Pod) {
				runningAtOnce(p)
				if c.kubelet != nil {
					c.kubelet(p)
				}
			}
			cluster.PrependReactor("delete", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
				return c.err != nil || c.accept, nil, c.err
			})
			s, _, err := begin(t.Context(), cluster, answers, func(cfg *Config) { cfg.RemoveTimeout = 400 * time.Millisecond })
			if err != nil {
				t.Fatal(err)
			}
			s.Finish()
			err = s.Close()
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
			}
			if again := s.Close(); fmt.Sprint(again) != fmt.Sprint(err) {
				t.Errorf("closed again: %v", again)
			}
		})
	}
}

func TestRemovalRetriesWhatMayHeal(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	c.kubelet = runningAtOnce
	failures := 2
	c.PrependReactor("delete", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		failures--
		return failures >= 0, nil, errors.New("connection refused")
	})
	s, _, err := begin(t.Context(), c, answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wantGone(t, c)
}
