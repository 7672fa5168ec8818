package debugpod

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// testSpec is an ordinary case: room on the node, a server of today.
func testSpec(edit func(*podSpec)) podSpec {
	resources, critical := chooseResources(testRoom("1", "1Gi", true), nil)
	s := podSpec{
		namespace: "kube-system", name: "nodedoc-worker-1-0123456789abcdef", nonce: "0123456789abcdef", node: "worker-1", arch: "amd64",
		image:   imageChoice{name: "docker.io/library/busybox:1.36", pull: corev1.PullNever, onNode: true},
		profile: ProfileSysadmin, server: serverVersion{1, 35}, resources: resources, critical: critical,
		lifetimeSeconds: 900, version: "v0.1.0", command: command(byImageShell, "0123456789abcdef", []byte("probe")),
	}
	if edit != nil {
		edit(&s)
	}
	return s
}

// The whole pod is compared, so that a line lost or added is seen. After a
// change that is meant, run this with UPDATE_GOLDEN=1 and read the diff.
func TestPod(t *testing.T) {
	for name, edit := range map[string]func(*podSpec){
		"sysadmin": nil,
		"minimal":  func(s *podSpec) { s.profile = ProfileMinimal },
		"minimal-on-1.17": func(s *podSpec) {
			s.profile, s.server = ProfileMinimal, serverVersion{1, 17}
		},
		"no-room-and-pull-secret": func(s *podSpec) {
			s.resources, s.critical = chooseResources(room{}, nil)
			s.image = imageChoice{name: "registry.example/tools:1", pull: corev1.PullIfNotPresent}
			s.pullSecret = "registry"
		},
		"host-shell": func(s *podSpec) {
			s.image = imageChoice{name: "registry.k8s.io/pause:3.10", pull: corev1.PullNever, onNode: true, by: byHostShell}
			s.command = command(byHostShell, s.nonce, []byte("probe"))
		},
		"host-shell-arm64-minimal": func(s *podSpec) {
			s.arch, s.profile = "arm64", ProfileMinimal
			s.image = imageChoice{name: "registry.k8s.io/pause:3.10", pull: corev1.PullNever, onNode: true, by: byHostShell}
			s.command = command(byHostShell, s.nonce, []byte("probe"))
		},
		"recorder": func(s *podSpec) {
			s.record = &Recording{For: 12 * time.Hour, Every: 30 * time.Second}
			s.name, s.lifetimeSeconds = recorderName(s.node), int64(s.record.Lifetime().Seconds())
		},
		"probe-image": func(s *podSpec) {
			s.image = imageChoice{name: "registry.example/probe:1", pull: corev1.PullIfNotPresent, by: byItself}
			s.command = command(byItself, s.nonce, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := yaml.Marshal(pod(testSpec(edit)))
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "pod-"+name+".yaml")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("differs from %s:\n%s", golden, got)
			}
		})
	}
}

func TestPodName(t *testing.T) {
	const nonce = "0123456789abcdef"
	for name, c := range map[string]struct{ node, want string }{
		"plain":           {"worker-1", "nodedoc-worker-1-" + nonce},
		"dots":            {"ip-10-0-0-1.eu-west-1.compute", "nodedoc-ip-10-0-0-1-eu-west-1-compute-" + nonce},
		"an IP":           {"10.0.0.1", "nodedoc-10-0-0-1-" + nonce},
		"cut after a dot": {"a23456789-123456789-123456789-1234567.internal", "nodedoc-a23456789-123456789-123456789-1234567-" + nonce},
	} {
		t.Run(name, func(t *testing.T) {
			got := podName(c.node, nonce)
			if got != c.want || len(got) > maxName {
				t.Errorf("got %q of %d bytes, want %q", got, len(got), c.want)
			}
		})
	}
}
