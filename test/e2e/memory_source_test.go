//go:build e2e

package e2e

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"
)

const mib = 1 << 20

// amounts are bytes by name, as the node's own tools and files have them.
type amounts map[string]uint64

// kubeletsAvailable is the kubelet's own memory.available, in bytes, and when it
// measured that.
func kubeletsAvailable(t *testing.T, node string) (bytes uint64, at time.Time) {
	t.Helper()
	raw, err := cluster.Client.CoreV1().RESTClient().Get().Resource("nodes").Name(node).SubResource("proxy").Suffix("stats/summary").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var summary struct {
		Node struct {
			Memory struct {
				Time           time.Time
				AvailableBytes uint64
			}
		}
	}
	if err := json.Unmarshal(raw, &summary); err != nil {
		t.Fatal(err)
	}
	return summary.Node.Memory.AvailableBytes, summary.Node.Memory.Time
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
	a, err := readAmounts(said)
	if err != nil {
		t.Fatal(err)
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
