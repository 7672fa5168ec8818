package logs

import "testing"

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
