//go:build e2e

package e2e

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// oomKills: as many as the kernel's log has, of pods that are there and gone. Of the
// one that is gone the node has nothing any more, as after the kubelet's next look
// for what is left over.
func (n *night) oomKills(t *testing.T) {
	logged := func(pod *corev1.Pod, comm string) int {
		return number(t, onThisNode(t, n.node, "dmesg | grep -cE 'oom-kill:.*task_memcg=[^,]*"+string(pod.UID)+"[^,]*,task="+comm+",' || true"))
	}
	searchBefore, goneBefore := logged(n.Search, "java"), logged(n.Gone, "rsync")
	onThisNode(t, n.node, "rm -rf /var/log/pods/*_"+string(n.Gone.UID)+" /var/log/containers/"+n.Gone.Name+"_"+n.namespace+"_*")
	a := n.memory(t)
	searchAfter := logged(n.Search, "java")
	if searchBefore < 2 || goneBefore != 1 {
		t.Fatalf("the kernel's log has %d and %d kills", searchBefore, goneBefore)
	}
	for _, want := range []struct {
		pod         *corev1.Pod
		comm, scope string
		state       correlate.PodState
		least, most int
	}{
		{n.Search, "java", "container", correlate.PodKnown, searchBefore, searchAfter},
		{n.Gone, "rsync", "pod", correlate.PodGone, 1, 1},
	} {
		v := a.victim(string(want.pod.UID), want.comm)
		switch {
		case v == nil:
			t.Errorf("no kills of %s in %s among %+v", want.comm, want.pod.Name, a.OOMKills)
		case v.Kills < want.least || v.Kills > want.most || v.Scope != want.scope || v.Owner.PodState != want.state:
			t.Errorf("%s: %+v, want %d kills, scope %s, %s", want.pod.Name, v, want.least, want.scope, want.state)
		case v.Kill.AnonRSS == nil || *v.Kill.AnonRSS < incidents.SearchLimit*mib/2 || v.Kill.Limit == nil || *v.Kill.Limit != incidents.SearchLimit*mib || v.Last == nil:
			t.Errorf("%s: %+v", want.pod.Name, v)
		}
	}
	if v := a.victim(string(n.Search.UID), "java"); v != nil && (!v.API || v.Owner.Name() != n.namespace+"/"+n.Search.Name || v.Owner.Container != "app" || v.Owner.Workload != "Deployment/search") {
		t.Errorf("the API server's word is not in %+v", v)
	}
	if v := a.victim(string(n.Gone.UID), "rsync"); v != nil && (v.Owner.Name() != n.namespace+"/"+n.Gone.Name || v.Owner.Container != "import" || !slices.Equal(v.NamedBy, []string{correlate.NamedByEvents})) {
		t.Errorf("the pod that is gone: %+v", v)
	}
}

func (a memoryAnswer) victim(podUID, comm string) *correlate.OOMVictim {
	for i := range a.OOMKills {
		if v := &a.OOMKills[i]; v.Owner.PodUID == podUID && v.Comm == comm {
			return v
		}
	}
	return nil
}
