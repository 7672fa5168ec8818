//go:build e2e

package vm

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// during makes the node another until release, which a session does that has
// logged in before: later ones may not get in.
func during(t *testing.T, begin, end string) (release func()) {
	t.Helper()
	session := exec.Command(filepath.Join(cluster.Tools, "cluster"), "exec", node, "--", "sh", "-c", "trap '"+end+"' EXIT; "+begin+"; echo begun; read -r line")
	in, err := session.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start(); err != nil {
		t.Fatal(err)
	}
	release = func() {
		in.Close()
		_ = session.Wait()
	}
	t.Cleanup(release)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "begun\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	return release
}

// TestFileHandlesUsedUp while the probe samples: all but
// CAP_SYS_ADMIN fail to open anything. The answer is there, and says so. It
// lasts for seconds only: the bus and the network's daemon have no such right.
func TestFileHandlesUsedUp(t *testing.T) {
	before := onNode(t, "cat /proc/sys/fs/file-max")
	probes := onNode(t, "pgrep -xc probe || true")
	var answer struct{ Findings []diagnose.Finding }
	var errOut bytes.Buffer
	c := plugin("fd", node, "--interval", "5s")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = &errOut
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	release := during(t, "until [ $(pgrep -xc probe) -gt "+probes+" ]; do sleep 0.2; done; cut -f1 /proc/sys/fs/file-nr >/proc/sys/fs/file-max",
		"echo "+before+" >/proc/sys/fs/file-max")
	err = json.NewDecoder(out).Decode(&answer)
	release()
	if err = errors.Join(err, c.Wait()); err != nil {
		t.Errorf("%v: %s", err, errOut.String())
	}
	if now := onNode(t, "cat /proc/sys/fs/file-max"); now != before {
		t.Errorf("fs.file-max was %s and is %s", before, now)
	}
	if len(answer.Findings) == 0 || answer.Findings[0].ID != diagnose.FDNodeLimit || answer.Findings[0].Severity != diagnose.Critical {
		t.Errorf("found %+v, want %s first, critical", answer.Findings, diagnose.FDNodeLimit)
	}
}

// TestClockIsWrong: times are the node's, and ages are right.
func TestClockIsWrong(t *testing.T) {
	const wrong = 7200 // seconds that the node's clock is ahead
	onNode(t, "systemd-run --unit=e2e-aged sleep 73001 2>/dev/null")
	began := time.Now()
	t.Cleanup(func() { onNode(t, "systemctl stop e2e-aged.service") })
	pid := pidOf(t, "/usr/bin/sleep 73001")
	set := func(by int) string { return "date -s @$(($(date +%s) + " + strconv.Itoa(by) + ")) >/dev/null" }
	release := during(t, set(wrong), set(-wrong))
	var answer struct{ Processes []correlate.Identity }
	asked := time.Now()
	err := ask(&answer, "whois-pid", node, strconv.Itoa(pid))
	answered := time.Now()
	release()
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Processes) != 1 || answer.Processes[0].Started == nil {
		t.Fatalf("got %+v", answer)
	}
	p := answer.Processes[0]
	if least, most := asked.Sub(began).Seconds()-1, answered.Sub(began).Seconds()+60; p.AgeSeconds < least || p.AgeSeconds > most {
		t.Errorf("it is %.0f seconds old, want %.0f to %.0f", p.AgeSeconds, least, most)
	}
	if ahead := p.Started.Sub(began).Seconds(); math.Abs(ahead-wrong) > 120 {
		t.Errorf("by the node's clock it started %.0f seconds ahead of time, want %d", ahead, wrong)
	}
}
