//go:build e2e

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testDir is not a temporary directory of the test: those may be on a file system that carries no overlay.
const testDir = "/var/tmp/nodedoc-cluster-test"

func buildProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "cluster")
	if said, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return program
}

// cluster runs one of the program's commands, which must succeed.
func cluster(t *testing.T, program string, args ...string) string {
	t.Helper()
	said, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", args, err, said)
	}
	return string(said)
}

func TestClusterLeavesNoTrace(t *testing.T) {
	program, machine, l := buildProgram(t), readTraces(t), layout{testDir}
	t.Cleanup(func() { _ = exec.Command(program, "down", "--dir", testDir).Run() })

	cluster(t, program, "up", "--nodes", "1", "--dir", testDir)
	requirePodRuns(t, l)
	if got := cluster(t, program, "exec", "--dir", testDir, "nd-node-1", "--", "sh", "-c", "hostname; cat /proc/1/comm"); got != "nd-node-1\nnode-init\n" {
		t.Errorf("the node says %q", got)
	}
	cluster(t, program, "down", "--dir", testDir)
	machine.requireNoTraces(t, testDir)
	cluster(t, program, "down", "--dir", testDir)
	machine.requireNoTraces(t, testDir)
}

func TestRunEndsAsItsCommandDoes(t *testing.T) {
	program, machine := buildProgram(t), readTraces(t)
	t.Cleanup(func() { _ = exec.Command(program, "down", "--dir", testDir).Run() })

	err := exec.Command(program, "run", "--nodes", "1", "--dir", testDir, "--", "sh", "-c", `test -f "$KUBECONFIG" && test -f "$NODEDOC_CLUSTER_DIR/cluster.json" && exit 7`).Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("got %v, want exit code 7", err)
	}
	machine.requireNoTraces(t, testDir)
}

// An `up` may be killed at any time: whatever it had done so far, `down` undoes.
func TestDownAfterKilledUp(t *testing.T) {
	program, machine := buildProgram(t), readTraces(t)
	t.Cleanup(func() { _ = exec.Command(program, "down", "--dir", testDir).Run() })

	for _, moment := range []string{"network and control groups", "keys and configuration", "has a containerd", "API server is ready"} {
		t.Run(moment, func(t *testing.T) {
			killUpAt(t, moment, program, "up", "--dir", testDir)
			cluster(t, program, "down", "--dir", testDir)
			machine.requireNoTraces(t, testDir)
		})
	}
}

func killUpAt(t *testing.T, moment, program string, args ...string) {
	t.Helper()
	up := exec.Command(program, args...)
	progress, err := up.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(progress)
	for lines.Scan() && !strings.Contains(lines.Text(), moment) {
	}
	if err := up.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = up.Wait()
}

func requirePodRuns(t *testing.T, l layout) {
	t.Helper()
	client, err := newAPI(l)
	if err != nil {
		t.Fatal(err)
	}
	const pods = "/api/v1/namespaces/default/pods"
	const pod = `{"metadata": {"name": "hello"}, "spec": {
		"terminationGracePeriodSeconds": 1,
		"volumes": [{"name": "memory", "emptyDir": {"medium": "Memory"}}],
		"containers": [{"name": "c", "image": "busybox:1", "command": ["sh", "-c", "echo hello; sleep 1000"],
			"volumeMounts": [{"name": "memory", "mountPath": "/memory"}]}]}}`
	client.must(t, http.MethodPost, pods, pod)
	eventually(t, func() error {
		said, err := client.get(t.Context(), pods+"/hello/log")
		if err == nil && string(said) != "hello\n" {
			err = fmt.Errorf("the pod says %q", said)
		}
		return err
	})
	client.must(t, http.MethodDelete, pods+"/hello", "")
	eventually(t, func() error {
		if _, err := client.get(t.Context(), pods+"/hello"); err == nil || !strings.Contains(err.Error(), "404") {
			return fmt.Errorf("the pod is still there: %w", err)
		}
		return nil
	})
}

func (a api) must(t *testing.T, method, path, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, apiserver+path, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := a.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if said, _ := io.ReadAll(response.Body); response.StatusCode >= 300 {
		t.Fatalf("%s %s: %s: %s", method, path, response.Status, said)
	}
}

func eventually(t *testing.T, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for err := try(); err != nil; err = try() {
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
