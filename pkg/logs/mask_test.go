package logs

import (
	"strings"
	"testing"
)

func TestMask(t *testing.T) {
	for name, c := range map[string]struct{ line, want string }{
		"klog, structured": {
			`"Error syncing pod, skipping" err="failed to \"StartContainer\" for \"app\" with CrashLoopBackOff: \"back-off 5m0s restarting failed container=app pod=web-5d9c-x2x7k_prod(93e182b4-1f00-4c6e-9d51-0242ac120002)\"" pod="prod/web-5d9c-x2x7k" podUID="93e182b4-1f00-4c6e-9d51-0242ac120002"`,
			"Error syncing pod, skipping err=failed to … for … with CrashLoopBackOff: … pod=… podUID=…"},
		"incident 4": {
			`Operation for "{volumeName:kubernetes.io/csi/disk^d-bp1iau podName: nodeName:}" failed. No retries permitted until 2026-11-22 06:40:12.123456789 +0000 UTC m=+8123.4 (durationBeforeRetry 2m2s). Error: GetDeviceMountRefs check failed for volume "d-bp1iau" (UniqueName: "kubernetes.io/csi/disk^d-bp1iau") on node "n-7" : the device mount path "/var/lib/kubelet/plugins/kubernetes.io/csi/pv/d-bp1iau/globalmount" is still mounted by other references [/var/lib/a/globalmount /var/lib/b/merged/globalmount]`,
			"Operation for … failed. No retries permitted until # (durationBeforeRetry #). Error: GetDeviceMountRefs check failed for volume … (UniqueName: …) on node … : the device mount path … is still mounted by other references […]"},
		"kernel":         {"EXT4-fs error (device vdfiw): ext4_find_entry:1463: inode #2: comm kubelet: reading directory lblock 0", "EXT4-fs error (device vdfiw): ext4_find_entry:#: inode ##: comm kubelet: reading directory lblock #"},
		"journal device": {"Aborting journal on device vdfiw-8.", "Aborting journal on device …."},
		"I/O is a word":  {"JBD2: I/O error when updating journal superblock for loop0-8.", "JBD2: I/O error when updating journal superblock for …."},
		"addresses":      {"dial tcp 10.0.0.1:6443: connect: connection refused", "dial tcp #:#: connect: connection refused"},
		"hex":            {"cgroup 82414f376d1fa0 not found, code 0x1F", "cgroup … not found, code …"},
		"a cut quote":    {`"GetPods" err="no such`, "GetPods err=no such"},
		"nothing":        {"", ""},
		"not UTF-8":      {"a\xff b", "a\xff b"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Mask(c.line); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// A value that quotes somebody else's words is no word of the line.
func TestSaid(t *testing.T) {
	for line, want := range map[string]string{
		`"Server rejected event" err="not \"found\"" event="context deadline exceeded"`: `"Server rejected event" err="not \"found\"" event=`,
		`failed to load error="no such file" id="too many open files"`:                  `failed to load error="no such file" id=`,
		`Orphaned pod "a" found, but volume paths are still present`:                    `Orphaned pod "a" found, but volume paths are still present`,
		`"cut`: `"cut`,
		"":     "",
	} {
		if got := said(line); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", line, got, want)
		}
	}
}

// TestKnownLines: in the words of kubelets of several versions, of runtimes and kernels.
func TestKnownLines(t *testing.T) {
	for line, want := range map[string]string{
		`GetDeviceMountRefs check failed for volume "d-1" (UniqueName: "x") on node "n" : the device mount path "/a" is still mounted by other references [/b]`: DeviceMountRefs,
		`"Skipping pod synchronization" err="PLEG is not healthy: pleg was last seen active 3m5.1s ago; threshold is 3m0s"`:                                     PLEGUnhealthy,
		`skipping pod synchronization - PLEG is not healthy: pleg was last seen active 3m0.2s ago; threshold is 3m0s`:                                           PLEGUnhealthy,
		`Orphaned pod "93e182b4" found, but volume paths are still present on disk`:                                                                             OrphanedPod,
		`"Cleaned up orphaned pod volumes dir" podUID="93e182b4"`:                                                                                               "",
		"EXT4-fs error (device vdfiw): ext4_find_entry:1463: inode #2: comm kubelet: reading directory lblock 0":                                                "ext4-error",
		"JBD2: Error -5 detected when updating journal superblock for vdfiw-8.":                                                                                 "ext4-error",
		`"Eviction manager: attempting to reclaim" resourceName="memory"`:                                                                                       "eviction",
		"eviction manager: attempting to reclaim memory":                                                                                                        "eviction",
		`"Failed to create pod sandbox" err="rpc error: code = Unknown desc = failed to setup network for sandbox \"8\": too many open files"`:                  TooManyOpenFiles,
		`"CreatePodSandbox for pod failed" err="rpc error"`:                                                                                                     SandboxFailed,
		"Memory cgroup out of memory: Killed process 2576 (java) total-vm:1319268kB":                                                                            "oom-kill",
		"INFO: task java:123 blocked for more than 120 seconds.":                                                                                                "hung-task",
		`"Image garbage collection failed once. Stats initialization may not have completed yet" err="failed to get imageFs info"`:                              "image-gc",
		`"Server rejected event (will not retry!)" event="Failed to create pod sandbox: context deadline exceeded"`:                                             "",
		`"SyncLoop ADD" source="api"`: "",
	} {
		got := ""
		if k := knownOf(KnownLines(), said(line)); k != nil {
			got = k.ID
		}
		if got != want {
			t.Errorf("%s\nis %q, want %q", line, got, want)
		}
	}
	seen := map[string]bool{}
	for _, k := range KnownLines() {
		if seen[k.ID] || k.Means == "" || len(k.all)+len(k.any) == 0 {
			t.Errorf("%+v", k)
		}
		seen[k.ID] = true
		for _, word := range append(k.all, k.any...) {
			if word != strings.ToLower(word) {
				t.Errorf("%s: %q never fits", k.ID, word)
			}
		}
	}
}
