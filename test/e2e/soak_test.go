//go:build e2e

package e2e

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

var (
	soakRuns = flag.Int("soak.runs", 32, "how many runs to kill at a random moment")
	soakSeed = flag.Uint64("soak.seed", 0, "which moments and signals; 0: others each time")
)

// soakLanes run side by side.
const soakLanes = 2

// beforePod is the phase of a run that has made nothing yet.
const beforePod = "before the pod"

// TestSoak kills the client at random moments, by SIGINT,
// SIGTERM and SIGKILL, and counts what is left once the last container has had
// the time to end by itself and a cleanup has come by.
func TestSoak(t *testing.T) {
	t.Parallel()
	seed := *soakSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-soak.runs=%d -soak.seed=%d", *soakRuns, seed)
	places := make([]place, soakLanes)
	for lane := range places {
		places[lane] = newPlace(t, node, nil)
	}
	killed := make(chan string, *soakRuns)
	t.Run("runs", func(t *testing.T) {
		for lane := range places {
			t.Run(fmt.Sprint("lane ", lane), func(t *testing.T) {
				t.Parallel()
				random := rand.New(rand.NewPCG(seed, uint64(lane)))
				for i := lane; i < *soakRuns; i += soakLanes {
					killed <- places[lane].killAtRandom(t, random, seed)
				}
			})
		}
	})
	close(killed)
	moments := map[string]int{}
	for m := range killed {
		moments[m]++
	}
	byItself, swept, left := 0, 0, 0
	for _, p := range places {
		a, b, c := p.settle(t)
		byItself, swept, left = byItself+a, swept+b, left+c
	}
	summary := fmt.Sprintf("%d runs: ", *soakRuns)
	for _, m := range slices.Sorted(maps.Keys(moments)) {
		summary += fmt.Sprintf("%d %s, ", moments[m], m)
	}
	t.Logf("%sended by themselves and swept %d, deleted by force %d, leftovers %d", summary, byItself, swept, left)
}

// killAtRandom begins a run, kills it within its usual duration, and says how
// and in which phase. A client that could clean up has done so.
func (p place) killAtRandom(t *testing.T, random *rand.Rand, seed uint64) string {
	t.Helper()
	signal := []os.Signal{syscall.SIGKILL, os.Interrupt, syscall.SIGTERM}[random.IntN(3)]
	command := [][]string{{"fd", node, "--interval", "500ms"}, {"whois-pid", node, "1"}}[random.IntN(2)]
	before := seen.of(p.namespace)
	b := p.start(t, command...)
	time.Sleep(time.Duration(random.Int64N(int64(4 * time.Second))))
	phase := "no longer at work"
	if b.Process.Signal(signal) == nil {
		phase = p.phase(t, before)
	}
	r := b.end(t, 45*time.Second)
	switch {
	case signal == syscall.SIGKILL:
	case r.code == -1 && phase == beforePod: // it came before the program had begun to listen for it
	case r.code != 0 && r.code != 130:
		t.Errorf("%s, seed %d: exit code %d: %s", phase, seed, r.code, r.stderr)
	default:
		p.noneButKilled(t, before)
	}
	return fmt.Sprintf("%s %s", signal, phase)
}

// phase tells from the API how far the newest run is.
func (p place) phase(t *testing.T, before []string) string {
	for _, pod := range p.pods(t) {
		switch {
		case slices.Contains(before, string(pod.UID)):
		case pod.DeletionTimestamp != nil:
			return "while removing"
		case pod.Status.Phase == corev1.PodRunning:
			return "while the pod ran"
		default:
			return "while the pod started"
		}
	}
	if len(seen.of(p.namespace)) > len(before) {
		return "after the removal"
	}
	return beforePod
}

// noneButKilled checks that no pod is in the API but those of earlier runs,
// which were killed.
func (p place) noneButKilled(t *testing.T, before []string) {
	t.Helper()
	for _, pod := range p.pods(t) {
		if !slices.Contains(before, string(pod.UID)) {
			t.Errorf("pod %s is still there", pod.Name)
		}
	}
}

// settle waits for the containers of killed clients, which end when stdin does
// or, where none was ever attached, by the shell's two minutes; then a cleanup
// sweeps their records. What still runs after that is deleted by force and
// counted; what is left even so is an error.
func (p place) settle(t *testing.T) (swept, forced, left int) {
	t.Helper()
	over := func() bool {
		return !slices.ContainsFunc(p.pods(t), func(pod corev1.Pod) bool {
			return pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed
		})
	}
	for end := time.Now().Add(150 * time.Second); !over() && time.Now().Before(end); {
		time.Sleep(time.Second)
	}
	swept = strings.Count(run(t, p.command("cleanup")).stdout, "deleted pod")
	if forced = strings.Count(run(t, p.command("cleanup", "--force")).stdout, "deleted pod"); forced > 0 {
		t.Errorf("%d pods did not end by themselves", forced)
	}
	for end := time.Now().Add(40 * time.Second); ; time.Sleep(500 * time.Millisecond) {
		still := p.left(t)
		if len(still) == 0 || time.Now().After(end) {
			if len(still) > 0 {
				t.Errorf("left behind:\n%s", strings.Join(still, "\n"))
			}
			return swept, forced, len(still)
		}
	}
}
