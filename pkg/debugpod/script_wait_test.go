package debugpod

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A client that was killed before it attached never sends a line, and the
// container's stdin stays open. The shell does not wait for ever, and one whose
// client came is left alone for as long as the session lasts.
func TestScriptWaitsForAClientButNotForEver(t *testing.T) {
	const patience = 700 * time.Millisecond
	impatient := strings.ReplaceAll(script, "within "+attachSeconds, "within 0.7")
	if impatient == script {
		t.Fatal("the script waits in another way")
	}
	for shell, argv := range shells(t) {
		for name, c := range map[string]struct {
			input    string
			delivery string // seconds for it
			ends     bool
		}{
			"no client":              {"", deliverySeconds, true},
			"a client":               {"n0nce\n" + fakeProbe, deliverySeconds, false},
			"a client, long ago":     {"n0nce\n" + fakeProbe, "0.7", false},
			"half a probe":           {"n0nce\n" + fakeProbe[:10], deliverySeconds, false}, // the client's own deadline comes first
			"half a probe, long ago": {"n0nce\n" + fakeProbe[:10], "0.7", true},
		} {
			t.Run(shell+" "+name, func(t *testing.T) {
				t.Parallel()
				text := strings.ReplaceAll(strings.ReplaceAll(impatient, "within "+deliverySeconds, "within "+c.delivery), probeDir, t.TempDir())
				cmd := exec.CommandContext(t.Context(), argv[1], append(append(append([]string{}, argv[2:]...), "-c", text), command(byImageShell, "n0nce", []byte(fakeProbe))[3:]...)...)
				cmd.Env = []string{"PATH=" + argv[0] + ":" + os.Getenv("PATH")}
				in, err := cmd.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(in, c.input); err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- cmd.Wait() }()
				select {
				case err := <-ended:
					if !c.ends {
						t.Errorf("ended by itself: %v", err)
					}
				case <-time.After(3 * patience):
					if c.ends {
						t.Error("still waits")
					}
					in.Close()
					<-ended
				}
			})
		}
	}
}
