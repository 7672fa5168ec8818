//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// onStorageNode is held by the one test that has the storage node.
var onStorageNode sync.Mutex

// night is incident 2 on a node.
type night struct {
	place
	undo incidents.Undo
	*incidents.MemoryNight
	updatedb int // its pid on the node
}

// TestMemory (incident 2): a healthy node is called healthy; a job of cron's takes
// its memory while it walks through a pod's volume, pods are OOM-killed, one is
// evicted, and nodedoc says who it was.
func TestMemory(t *testing.T) {
	t.Parallel()
	onStorageNode.Lock()
	t.Cleanup(onStorageNode.Unlock) // when all that is done there is undone
	n := &night{place: newPlace(t, *storageNode, nil)}
	t.Cleanup(func() {
		if err := n.undo.All(context.Background()); err != nil {
			t.Error(err)
		}
	})
	for _, step := range []struct {
		name string
		test func(*night, *testing.T)
	}{
		{"healthy node", (*night).healthyNode},
		{"falls", (*night).falls},
		{"the job and its trap", (*night).jobAndTrap},
		{"memory that no process has", (*night).withoutProcesses},
		{"OOM kills", (*night).oomKills},
		{"watch", (*night).watched},
		{"saved report", (*night).savedReport},
		{"eviction", (*night).eviction},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.test(n, t) }) && step.name == "falls" {
			return // the others need it
		}
	}
}

// memoryAnswer is the answer of `memory -o json`.
type memoryAnswer struct {
	correlate.NodeMemory
	Findings []diagnose.Finding
}

func (n *night) memory(t *testing.T) memoryAnswer {
	t.Helper()
	var a memoryAnswer
	decode(t, n.run(t, time.Minute, "memory", n.node, "-o", "json"), &a)
	return a
}

func (a memoryAnswer) row(t *testing.T, name string) correlate.MemoryRow {
	t.Helper()
	for _, r := range a.Rows {
		if r.Owner.Name() == name {
			return r
		}
	}
	t.Fatalf("no row of %s in %+v", name, a.Rows)
	return correlate.MemoryRow{}
}

// falls makes the incident.
func (n *night) falls(t *testing.T) {
	var err error
	if n.MemoryNight, err = incidents.NewMemoryNight(t.Context(), cluster, &n.undo, n.node, n.namespace, incidents.CronJob); err != nil {
		t.Fatal(err)
	}
	eventually(t, "cron starts updatedb", 90*time.Second, func() bool {
		n.updatedb, err = strconv.Atoi(onThisNode(t, n.node, "pgrep -x updatedb || true"))
		return err == nil
	})
}

// jobAndTrap: the process is the host's, of cron's file and line; the pod in whose
// volume it is has nothing to do with it.
func (n *night) jobAndTrap(t *testing.T) {
	eventually(t, "updatedb is large", 30*time.Second, func() bool { return processAmounts(t, n.node, n.updatedb)["vmrss"] > 60*mib })
	archive, unitPath := "pod"+string(n.Walked.UID), n.node+"/system.slice/cron.service"
	before, podBefore, unitBefore := processAmounts(t, n.node, n.updatedb), cgroupAmounts(t, n.node, archive), cgroupAmounts(t, n.node, unitPath)
	a := n.memory(t)
	after, podAfter, unitAfter := processAmounts(t, n.node, n.updatedb), cgroupAmounts(t, n.node, archive), cgroupAmounts(t, n.node, unitPath)

	unit := a.row(t, "cron.service")
	between(t, "cron.service", unit.Usage, unitBefore["usage"], unitAfter["usage"], 4)
	if unit.Owner.Type != correlate.OwnerUnit || !unit.Host || unit.Heaviest == nil || unit.Heaviest.PID != n.updatedb {
		t.Errorf("cron.service: %+v, want process %d", unit, n.updatedb)
	}
	if s := unit.PerSecond; s == nil || *s < incidents.UpdatedbRate*mib/2 || *s > incidents.UpdatedbRate*mib*2 {
		t.Errorf("grows by %v, want about %d MiB/s", s, incidents.UpdatedbRate)
	}
	pod := a.row(t, n.namespace+"/archive")
	between(t, "the innocent pod", pod.Usage, podBefore["usage"], podAfter["usage"], 4)
	between(t, "the innocent pod's working set", pod.WorkingSet, podBefore["usage"]-podBefore["inactive_file"], podAfter["usage"]-podAfter["inactive_file"], 4)
	if pod.Limit != incidents.SearchLimit*mib || pod.Host {
		t.Errorf("the innocent pod: %+v", pod)
	}
	for _, p := range a.Processes {
		if p.PID == n.updatedb {
			between(t, "updatedb", p.RSS, before["vmrss"], after["vmrss"], 1)
			n.isHostJob(t, p)
			return
		}
	}
	t.Errorf("updatedb %d is not among %+v", n.updatedb, a.Processes)
}

func (n *night) isHostJob(t *testing.T, p correlate.MemoryProcess) {
	t.Helper()
	if p.Owner.Type != correlate.OwnerUnit || p.Owner.Unit != "cron.service" {
		t.Errorf("updatedb belongs to %+v", p.Owner)
	}
	if !strings.Contains(p.Misleading, n.namespace+"/archive") {
		t.Errorf("%q does not name the pod in whose volume it is", p.Misleading)
	}
	b := p.Background
	if b == nil || b.Cron == nil || b.Cron.Ambiguous || b.Cron.Daemon.PID == 0 || len(b.Cron.Entries) == 0 {
		t.Fatalf("why it runs: %+v", b)
	}
	if e := b.Cron.Entries[0]; e.File != incidents.CronFile || e.Line != incidents.CronLine || e.Schedule != "* * * * *" || e.User != "root" {
		t.Errorf("started by %+v, want %s:%d", e, incidents.CronFile, incidents.CronLine)
	}
	if b.SiblingsTotal < 3 { // cron, its child, flock
		t.Errorf("beside it: %+v", b.Siblings)
	}
}

// withoutProcesses: what lies in memory whose writers have ended.
func (n *night) withoutProcesses(t *testing.T) {
	cacheBefore, userBefore := cgroupAmounts(t, n.node, "pod"+string(n.Cache.UID)), cgroupAmounts(t, n.node, n.node+"/user.slice")
	var a memoryAnswer
	eventually(t, "the kubelet has measured the volume", 2*time.Minute, func() bool {
		a = n.memory(t)
		v := a.row(t, n.namespace+"/cache").Volumes
		return len(v) > 0 && v[0].Used != nil && *v[0].Used > 0
	})
	cache := a.row(t, n.namespace+"/cache")
	between(t, "the volume in memory", cache.Shmem, cacheBefore["shmem"], cacheBefore["shmem"], 1)
	between(t, "what was written into it", cache.Shmem, incidents.CacheSize*mib, incidents.CacheSize*mib, 1)
	if v := cache.Volumes; len(v) != 1 || v[0].Name != "cache" || v[0].Limit != 64*mib || *v[0].Used != incidents.CacheSize*mib {
		t.Errorf("volumes %+v, want %d MiB", v, incidents.CacheSize)
	}
	if userBefore["shmem"] < incidents.TmpfsSize*mib {
		t.Fatalf("the node's tmpfs is not in user.slice: %v", userBefore)
	}
	user := a.row(t, correlate.Owner{Type: correlate.OwnerCgroup, Cgroup: "/" + n.node + "/user.slice"}.Name())
	between(t, "the node's tmpfs", user.Shmem, userBefore["shmem"], userBefore["shmem"], 1)
}

// watched: sample after sample from one pod; updatedb is there in each.
func (n *night) watched(t *testing.T) {
	r := n.run(t, time.Minute, "memory", n.node, "--interval", "500ms", "--samples", "3", "-o", "json")
	answers := samples[memoryAnswer](r.stdout)
	if len(answers) != 3 {
		t.Fatalf("%d samples: %+v", len(answers), r)
	}
	var before uint64
	for _, a := range answers {
		row := a.row(t, "cron.service")
		if row.Anon < before || row.Heaviest == nil || row.Heaviest.PID != n.updatedb {
			t.Errorf("cron.service had %d: %+v", before, row)
		}
		before = row.Anon
	}
}

// savedReport: the same answer without any cluster.
func (n *night) savedReport(t *testing.T) {
	file := filepath.Join(t.TempDir(), "memory.json")
	live := n.run(t, time.Minute, "memory", n.node, "--top", "0", "--save", file)
	if live.code != 0 {
		t.Fatalf("%+v", live)
	}
	for _, says := range []string{"updatedb", incidents.CronFile, n.namespace + "/archive", n.Search.Name, n.namespace + "/" + n.Gone.Name} {
		if !strings.Contains(live.stdout, says) {
			t.Errorf("%q is not in\n%s", says, live.stdout)
		}
	}
	offline := plugin("memory", "--top", "0", "--from", file)
	offline.Env = append(os.Environ(), "KUBECONFIG=/nonexistent")
	if again := run(t, offline); again.stdout != live.stdout || again.code != 0 {
		t.Errorf("live\n%s\noffline\n%s%s", live.stdout, again.stdout, again.stderr)
	}
}
