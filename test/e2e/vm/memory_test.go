//go:build e2e

package vm

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

const mib = 1 << 20

// memoryAnswer is the answer of `memory -o json`.
type memoryAnswer struct {
	correlate.NodeMemory
	Findings []diagnose.Finding
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

// TestMemory is incident 2 where systemd's own timer starts updatedb: cgroup v2,
// and a kernel's log and journal that must be as they were.
func TestMemory(t *testing.T) {
	var undo incidents.Undo
	t.Cleanup(func() {
		if err := undo.All(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := cluster.LoadActor(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	const namespace = "e2e-vm-memory"
	if err := cluster.TemporaryNamespace(t.Context(), &undo, namespace); err != nil {
		t.Fatal(err)
	}
	t.Run("healthy node", healthyMemory)
	n, err := incidents.NewMemoryNight(t.Context(), cluster, &undo, node, namespace, incidents.TimerJob)
	if err != nil {
		t.Fatal(err)
	}
	updatedb := number(t, "pgrep -x updatedb")
	for _, profile := range profiles() {
		t.Run(profile, func(t *testing.T) {
			var a memoryAnswer
			before := onNode(t, "dmesg")
			nodedoc(t, &a, "memory", node, "--profile", profile)
			if after := onNode(t, "dmesg"); !strings.HasPrefix(after, before) {
				t.Error("the kernel's log is not what it was")
			}
			isTimersJob(t, a, n, updatedb)
			checkKills(t, a, n)
			cache := a.row(t, namespace+"/"+n.Cache.Name)
			if cache.Shmem < incidents.CacheSize*mib || cache.Shmem > (incidents.CacheSize+1)*mib {
				t.Errorf("the volume in memory: %+v, want %d MiB", cache, incidents.CacheSize)
			}
		})
	}
	mark := "e2e-memory-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	onNode(t, "echo "+mark+" >/dev/kmsg")
	eventually(t, "the journal has the kernel's next line", 30*time.Second, func() bool {
		return strings.Contains(onNode(t, "journalctl -k -n 50 -o cat"), mark)
	})
}

// healthyMemory: nothing is found, and the kubelet's arithmetic gives the kubelet's
// own number.
func healthyMemory(t *testing.T) {
	var a memoryAnswer
	before := availableBytes(t)
	nodedoc(t, &a, "memory", node)
	after := availableBytes(t)
	for _, f := range a.Findings {
		t.Errorf("%s on a healthy node: %s %q", f.ID, f.Summary, f.Evidence)
	}
	const slack = 60 * mib // the kubelet's number is up to ten seconds old
	k := a.Kubelet
	if k == nil || k.CgroupVersion != 2 || k.WorkingSet != k.Usage-k.InactiveFile || k.Available != k.Capacity-k.WorkingSet {
		t.Fatalf("the kubelet's arithmetic: %+v", k)
	}
	if k.Available+slack < min(before, after) || k.Available > max(before, after)+slack {
		t.Errorf("memory.available %d, the kubelet says %d and %d", k.Available, before, after)
	}
	var total int64
	for _, term := range k.Terms {
		total += term.Bytes
	}
	if len(k.Terms) == 0 || total != int64(k.Usage) {
		t.Errorf("usage %d is made of %+v", k.Usage, k.Terms)
	}
	if now := uint64(number(t, "free -b | awk '/^Mem:/ { print $2 }'")); a.Kernel == nil || a.Kernel.Total == nil || *a.Kernel.Total != now || k.Capacity != now {
		t.Errorf("%+v of %+v, want %d in all", k, a.Kernel, now)
	}
	if a.Pressure == nil {
		t.Error("no PSI, which this kernel has")
	}
}

// availableBytes is the kubelet's own memory.available.
func availableBytes(t *testing.T) uint64 {
	t.Helper()
	raw, err := cluster.Client.CoreV1().RESTClient().Get().Resource("nodes").Name(node).SubResource("proxy").Suffix("stats/summary").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var summary struct {
		Node struct {
			Memory struct{ AvailableBytes uint64 }
		}
	}
	if err := json.Unmarshal(raw, &summary); err != nil {
		t.Fatal(err)
	}
	return summary.Node.Memory.AvailableBytes
}

// isTimersJob: the unit's, started by its timer; not of the pod in whose volume it is.
func isTimersJob(t *testing.T, a memoryAnswer, n *incidents.MemoryNight, updatedb int) {
	t.Helper()
	const unit = incidents.TimerUnit + ".service"
	row := a.row(t, unit)
	current := uint64(number(t, "cat /sys/fs/cgroup/system.slice/"+unit+"/memory.current"))
	if !row.Host || row.Heaviest == nil || row.Heaviest.PID != updatedb || row.Usage == 0 || row.Usage > current+mib {
		t.Errorf("%s: %+v, want process %d and at most %d", unit, row, updatedb, current)
	}
	archive := a.row(t, n.Walked.Namespace+"/"+n.Walked.Name)
	if most := uint64(30 * mib); archive.Usage > most || archive.Limit != incidents.SearchLimit*mib {
		t.Errorf("the innocent pod: %+v, want less than %d", archive, most)
	}
	for _, p := range a.Processes {
		if p.PID != updatedb {
			continue
		}
		if p.Owner.Unit != unit || !strings.Contains(p.Misleading, n.Walked.Namespace+"/"+n.Walked.Name) {
			t.Errorf("updatedb belongs to %+v, misleading: %q", p.Owner, p.Misleading)
		}
		if p.Background == nil || len(p.Background.Timers) != 1 {
			t.Fatalf("why it runs: %+v", p.Background)
		}
		isTimer(t, p.Background.Timers[0])
		return
	}
	t.Errorf("updatedb %d is not among %+v", updatedb, a.Processes)
}

// isTimer compares a timer's times with what systemd says.
func isTimer(t *testing.T, timer correlate.TimerInfo) {
	t.Helper()
	said := func(property string) time.Time {
		return time.Unix(int64(number(t, `date -d "$(systemctl show --value -p `+property+" "+incidents.TimerUnit+`.timer)" +%s`)), 0)
	}
	// While its service runs systemd has no next time; OnCalendar=daily is midnight.
	last, next := said("LastTriggerUSec"), time.Unix(int64(number(t, "date -d 'tomorrow 00:00' +%s")), 0)
	if timer.Name != incidents.TimerUnit+".timer" || timer.LastRun == nil || timer.LastRun.Sub(last).Abs() > 2*time.Second || timer.NextRun == nil || timer.NextRun.Sub(next).Abs() > 2*time.Second {
		t.Errorf("%+v, want it to have run at %s and to run at %s", timer, last, next)
	}
}

// checkKills: as many as the kernel's log has, of a pod that is there and of one
// that is gone.
func checkKills(t *testing.T, a memoryAnswer, n *incidents.MemoryNight) {
	t.Helper()
	for uid, want := range map[string]struct {
		container, comm string
		state           correlate.PodState
	}{
		string(n.Search.UID): {"app", "java", correlate.PodKnown},
		string(n.Gone.UID):   {"import", "rsync", correlate.PodGone},
	} {
		// Their slices have the UID with _ for -.
		logged := number(t, "dmesg | grep -cE 'oom-kill:.*task_memcg=[^,]*"+strings.ReplaceAll(uid, "-", "_")+"[^,]*,task="+want.comm+",' || true")
		found := false
		for _, v := range a.OOMKills {
			if v.Owner.PodUID != uid || v.Comm != want.comm {
				continue
			}
			if found = true; v.Kills == 0 || v.Kills > logged || v.Owner.PodState != want.state || v.Owner.Container != want.container {
				t.Errorf("%s: %+v, want %d kills of %s, %s", want.comm, v, logged, want.container, want.state)
			}
		}
		if !found {
			t.Errorf("no kills of %s among %+v, the kernel's log has %d", want.comm, a.OOMKills, logged)
		}
	}
}
