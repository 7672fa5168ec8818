//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// TestPodDeletedBetweenProbeAndJoin, and made again under its old name: the
// node still has the process, the API server no longer has the pod.
func TestPodDeletedBetweenProbeAndJoin(t *testing.T) {
	for name, c := range map[string]struct {
		again bool
		want  correlate.PodState
	}{
		"deleted":                           {false, correlate.PodGone},
		"recreated under the same old name": {true, correlate.PodReplaced},
	} {
		t.Run(name, func(t *testing.T) {
			namespace(t, "shop")
			spec := incidents.PodSpec(node, incidents.Container("main", "/actor", "--comm", "e2e-ghost", "hold", "5"))
			pod, err := cluster.Pod(t.Context(), "shop", "ghost", spec)
			if err != nil {
				t.Fatal(err)
			}
			before := traces(t)
			o := ghostOwner(t, func() {
				deleteAtOnce(t, "shop", "ghost")
				if c.again {
					again := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "ghost"}, Spec: spec}
					if _, err := cluster.Client.CoreV1().Pods("shop").Create(t.Context(), again, metav1.CreateOptions{}); err != nil {
						t.Fatal(err)
					}
				}
			})
			if o.Name() != "shop/ghost" || o.PodState != c.want || o.PodUID != string(pod.UID) || o.Container != "main" {
				t.Errorf("got %+v, want shop/ghost, %s, UID %s", o, c.want, pod.UID)
			}
			if !c.again {
				noNewTraces(t, before)
			}
		})
	}
}

// ghostOwner runs fd and calls meanwhile after the probe has begun and before
// the report can reach the client: the kubelet, through which it comes and
// which would end the pod's processes, is stopped for so long.
func ghostOwner(t *testing.T, meanwhile func()) correlate.Owner {
	t.Helper()
	const interval = 3 * time.Second
	c := plugin("fd", node, "-o", "json", "--by", "container", "--interval", interval.String())
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "probe runs", 30*time.Second, func() bool { return len(pidsOf(t, "probe")) > 0 })
	kubelet := strconv.Itoa(onlyPID(t, "kubelet"))
	onNode(t, "kill -STOP "+kubelet)
	defer onNode(t, "kill -CONT "+kubelet)
	time.Sleep(200 * time.Millisecond)
	meanwhile()
	time.Sleep(interval + 2*time.Second)
	onNode(t, "kill -CONT "+kubelet)
	if err := c.Wait(); err != nil {
		t.Fatalf("%v: %s", err, errOut.String())
	}
	var a fdAnswer
	if err := json.Unmarshal(out.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	row := a.row("shop/ghost")
	if row == nil {
		t.Fatalf("shop/ghost is not in the ranking: %s", out.String())
	}
	for i := range a.Rows { // its sandbox has a row, too
		if a.Rows[i].Owner.Name() == "shop/ghost" && !a.Rows[i].Owner.Sandbox {
			row = &a.Rows[i]
		}
	}
	return row.Owner
}

func deleteAtOnce(t *testing.T, namespace, pod string) {
	t.Helper()
	now := int64(0)
	if err := cluster.Client.CoreV1().Pods(namespace).Delete(t.Context(), pod, metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
		t.Fatal(err)
	}
}
