//go:build e2e

// Package vm tests the built programs as black boxes on a node that is a
// virtual machine with systemd and cgroup v2: run it through `make e2e-vm`.
package vm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

const node = "nd-vm-1"

var cluster *incidents.Cluster

func TestMain(m *testing.M) {
	if err := connect(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: these tests need root and a throwaway cluster with a virtual machine (make e2e-vm):", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func connect() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if cluster, err = incidents.Connect("../../../dist"); err != nil {
		return err
	}
	_, err = cluster.Client.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	return err
}

// profiles are all that the plugin's pod can be. Without privileges it has a
// cgroup namespace of its own.
func profiles() []string { return []string{"sysadmin", "minimal"} }

// nodedoc runs the plugin, decodes its answer, and checks that nothing of it is
// left on the node.
func nodedoc(t *testing.T, into any, args ...string) {
	t.Helper()
	before := podSlices(t)
	if err := ask(into, args...); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the pod's cgroup goes", time.Minute, func() bool {
		return !slices.ContainsFunc(podSlices(t), func(slice string) bool { return !slices.Contains(before, slice) })
	})
}

// ask runs the plugin and decodes its answer.
func ask(into any, args ...string) error {
	var out, errOut bytes.Buffer
	c := plugin(args...)
	c.Stdout, c.Stderr = &out, &errOut
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", args, err, errOut.String())
	}
	if err := json.Unmarshal(out.Bytes(), into); err != nil {
		return fmt.Errorf("%w in %q", err, out.String())
	}
	return nil
}

func plugin(args ...string) *exec.Cmd {
	return exec.Command(filepath.Join(cluster.Tools, "kubectl-nodedoc"), append(args, "-o", "json", "--start-timeout", "3m")...)
}

func podSlices(t *testing.T) []string {
	t.Helper()
	return strings.Fields(onNode(t, "find /sys/fs/cgroup/kubepods.slice -name '*-pod*.slice' | sort"))
}

// onNode runs a shell command on the node, in clean-ups too.
func onNode(t *testing.T, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := cluster.OnNode(ctx, node, "sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pidOf waits for the one process of a command line.
func pidOf(t *testing.T, commandLine string) int {
	t.Helper()
	var pid int
	eventually(t, "one process "+commandLine, 90*time.Second, func() bool {
		found, err := strconv.Atoi(onNode(t, "pgrep -xf '"+commandLine+"' || true"))
		pid = found
		return err == nil
	})
	return pid
}

func eventually(t *testing.T, what string, patience time.Duration, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Second) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}
