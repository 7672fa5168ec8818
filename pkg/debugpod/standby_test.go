package debugpod

import (
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// The whole DaemonSet is compared, as the pod is in TestPod.
func TestStandbySet(t *testing.T) {
	chosen, err := labels.Parse("pool in (batch,web),zone!=b,gpu,!spot,disks>3")
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(*standbySpec){
		"plain": nil,
		"host-shell-arm64-minimal": func(s *standbySpec) {
			s.arch, s.profile, s.critical, s.selector = "arm64", ProfileMinimal, false, chosen
			s.image = imageChoice{name: "registry.k8s.io/pause:3.10", pull: corev1.PullIfNotPresent, by: byHostShell}
		},
		"probe-image": func(s *standbySpec) {
			s.image = imageChoice{name: "registry.example/probe:1", pull: corev1.PullIfNotPresent, by: byItself}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := standbySpec{podSpec: testSpec(nil), packed: make([]byte, packedPart+1), sum: "5e"}
			s.name, s.node, s.lifetimeSeconds, s.command = "", "", 0, nil // a DaemonSet has none of these
			if edit != nil {
				edit(&s)
			}
			got, err := yaml.Marshal(standbySet(s))
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "standby-"+name+".yaml")
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
