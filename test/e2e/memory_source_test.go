//go:build e2e

package e2e

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

const mib = 1 << 20

// amounts are bytes by name, as the node's own tools and files have them.
type amounts map[string]uint64

// nodeAmounts are what free(1), the root memory cgroup and the kubelet's summary
// say of a node.
func nodeAmounts(t *testing.T, node string) amounts {
	t.Helper()
	said := onThisNode(t, node, `free -b | awk '/^Mem:/ { print "total", $2; print "free", $4; print "available", $7 }'
awk '/^(Slab|PageTables|Shmem):/ { printf "%s %.0f\n", $1, $2 * 1024 }' /proc/meminfo
cd /sys/fs/cgroup/memory 2>/dev/null && { echo "usage $(cat memory.usage_in_bytes)"; grep ^total_inactive_file memory.stat; } || { cd /sys/fs/cgroup && grep ^inactive_file memory.stat; }`)
	a := parseAmounts(t, said)
	raw, err := cluster.Client.CoreV1().RESTClient().Get().Resource("nodes").Name(node).SubResource("proxy").Suffix("stats/summary").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var summary struct {
		Node struct {
			Memory struct{ AvailableBytes, WorkingSetBytes uint64 }
		}
	}
	if err := json.Unmarshal(raw, &summary); err != nil {
		t.Fatal(err)
	}
	a["summary"] = summary.Node.Memory.AvailableBytes
	return a
}

// cgroupAmounts are those of the memory cgroup whose path ends so.
func cgroupAmounts(t *testing.T, node, path string) amounts {
	t.Helper()
	return parseAmounts(t, onThisNode(t, node, `dir=$(find /sys/fs/cgroup/memory -type d -path '*/`+path+`' 2>/dev/null)
[ -n "$dir" ] && cd "$dir" && { echo "usage $(cat memory.usage_in_bytes)"; grep -E '^total_(inactive_file|shmem|rss) ' memory.stat; exit; }
cd "$(find /sys/fs/cgroup -type d -path '*/`+path+`')" && { echo "usage $(cat memory.current)"; sed -n 's/^anon /rss /p' memory.stat; grep -E '^(inactive_file|shmem) ' memory.stat; }`))
}

// processAmounts are those of /proc/PID/status.
func processAmounts(t *testing.T, node string, pid int) amounts {
	t.Helper()
	return parseAmounts(t, onThisNode(t, node, "awk '/^VmRSS:/ { printf \"%s %.0f\\n\", $1, $2 * 1024 }' /proc/"+strconv.Itoa(pid)+"/status"))
}

func parseAmounts(t *testing.T, said string) amounts {
	t.Helper()
	a := amounts{}
	for line := range strings.Lines(said) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			t.Fatalf("%v in %q", err, said)
		}
		a[strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(name, "total_"), ":"))] = n
	}
	return a
}

// between checks that a number lies between what it was before and after, give or
// take some MiB.
func between(t *testing.T, what string, got, before, after uint64, slack uint64) {
	t.Helper()
	least, most := min(before, after), max(before, after)+slack*mib
	least -= min(least, slack*mib)
	if got < least || got > most {
		t.Errorf("%s: %d, want %d to %d within %d MiB", what, got, before, after, slack)
	}
}
