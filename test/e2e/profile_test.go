//go:build e2e

package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// TestMinimalProfileSaysTheSame compares the answers of a privileged pod and of
// one with three capabilities, over pods that leak, hold, and run as another
// user: owners, counts, kinds, names, and what could not be read.
func TestMinimalProfileSaysTheSame(t *testing.T) {
	namespace(t, "profiles")
	other := incidents.Container("other", "/actor", "--comm", "otheruser", "hold", "200")
	other.SecurityContext = &corev1.SecurityContext{RunAsUser: new(int64(4321))}
	pod, err := cluster.Pod(t.Context(), "profiles", "several", incidents.PodSpec(node,
		incidents.Container("leak", "/actor", "--comm", "leaker", "leak-fifos", "/run/docker/containerd", "500", "1000"),
		other))
	if err != nil {
		t.Fatal(err)
	}
	leaker := onlyPID(t, "leaker")
	pids := []int{1, onlyPID(t, "kubelet"), leaker, onlyPID(t, "otheruser")}
	eventually(t, "the leak", time.Minute, func() bool {
		return number(t, onNode(t, "ls /proc/"+strconv.Itoa(leaker)+"/fd | wc -l")) > 1000
	})

	privileged, minimal := rowsAs(t, "sysadmin"), rowsAs(t, "minimal")
	if p := privileged["profiles/"+pod.Name]; p.Descriptors < 1200 {
		t.Fatalf("the leak is not there: %+v", privileged)
	}
	for _, name := range slices.Sorted(maps.Keys(privileged)) {
		a, b := privileged[name], minimal[name]
		// The node goes on living between the two.
		tolerance := 10 + a.Descriptors/20
		if b.Owner != a.Owner || b.Descriptors < a.Descriptors-tolerance || b.Descriptors > a.Descriptors+tolerance {
			t.Errorf("sysadmin says %+v, minimal %+v", a, b)
		}
		if a.Descriptors > 100 && (b.Heaviest != a.Heaviest || b.Mostly != a.Mostly) {
			t.Errorf("%s: sysadmin sees %+v, %+v, minimal %+v, %+v", name, a.Heaviest, a.Mostly, b.Heaviest, b.Mostly)
		}
	}
	if len(minimal) != len(privileged) {
		t.Errorf("%d owners, and %d with the minimal profile", len(privileged), len(minimal))
	}

	a, b := identitiesAs(t, "sysadmin", pids), identitiesAs(t, "minimal", pids)
	for i := range a {
		if x, y := shown(t, a[i]), shown(t, b[i]); x != y {
			t.Errorf("sysadmin says\n%s\nminimal\n%s", x, y)
		}
	}
}

// profileRow is what must not depend on the profile.
type profileRow struct {
	Owner       correlate.Owner
	Descriptors int
	Heaviest    struct{ Comm string }
	Mostly      struct{ Kind, Pattern string }
}

// rowsAs are the ranking's rows by owner. Our own pod is another each time.
func rowsAs(t *testing.T, profile string) map[string]profileRow {
	t.Helper()
	var answer struct {
		Rows   []profileRow
		Unread int
		Gaps   []any
	}
	decode(t, nodedoc(t, "fd", node, "--profile", profile, "--interval", "1s", "-o", "json"), &answer)
	if answer.Unread > 0 || len(answer.Gaps) > 0 {
		t.Errorf("%s could not read %d processes, and lacks %v", profile, answer.Unread, answer.Gaps)
	}
	rows := map[string]profileRow{}
	for _, r := range answer.Rows {
		if !strings.HasPrefix(r.Owner.Pod, "nodedoc-") {
			rows[r.Owner.Name()] = r
		}
	}
	return rows
}

func identitiesAs(t *testing.T, profile string, pids []int) []map[string]any {
	t.Helper()
	args := []string{"whois-pid", node, "--profile", profile, "-o", "json"}
	for _, pid := range pids {
		args = append(args, strconv.Itoa(pid))
	}
	var answer struct{ Processes []map[string]any }
	decode(t, nodedoc(t, args...), &answer)
	if len(answer.Processes) != len(pids) {
		t.Fatalf("%s: asked for %d processes, got %d", profile, len(pids), len(answer.Processes))
	}
	return answer.Processes
}

// shown is an identity without what changes from one look to the next.
func shown(t *testing.T, identity map[string]any) string {
	t.Helper()
	for _, key := range []string{"ageSeconds", "rssBytes", "threads", "state", "fds", "fdTop"} {
		delete(identity, key)
	}
	if u := identity["unreadable"]; u != nil {
		t.Errorf("pid %v: could not read %v", identity["pid"], u)
	}
	b, err := json.MarshalIndent(identity, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
