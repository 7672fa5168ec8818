package debugpod

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

const digest = "@sha256:3fbc632167424a6d997e74f52b878d7cc478225cffac6bc977eedfe51c7f4e79"

func TestChooseImage(t *testing.T) {
	fallback := imageChoice{name: defaultImage, pull: corev1.PullIfNotPresent}
	onNode := func(name string) imageChoice {
		return imageChoice{name: name, pull: corev1.PullNever, onNode: true}
	}
	hostShell := func(name string) imageChoice {
		return imageChoice{name: name, pull: corev1.PullNever, onNode: true, by: byHostShell}
	}
	for name, c := range map[string]struct {
		asked  string
		images [][]string
		want   imageChoice
	}{
		"asked for, not there": {"corp/tools:1", [][]string{{"docker.io/library/busybox:1"}},
			imageChoice{name: "corp/tools:1", pull: corev1.PullIfNotPresent}},
		"asked for, there under its long name": {"busybox:1", [][]string{{"docker.io/library/busybox:1"}},
			imageChoice{name: "busybox:1", pull: corev1.PullIfNotPresent, onNode: true}},
		"no images listed":                 {"", nil, fallback},
		"none of them is known":            {"", [][]string{{"registry.k8s.io/kube-proxy:v1.30.0"}, {"registry.k8s.io/pause:3.9"}}, hostShell("registry.k8s.io/pause:3.9")},
		"no pause listed":                  {"", [][]string{{"corp/b:1", "corp/b" + digest}, {"corp/a:1"}}, hostShell("corp/a:1")},
		"only digests, none known":         {"", [][]string{{"corp/b" + digest}}, fallback},
		"tag before digest":                {"", [][]string{{"docker.io/library/busybox" + digest, "docker.io/library/busybox:1.28"}}, onNode("docker.io/library/busybox:1.28")},
		"digest only":                      {"", [][]string{{"quay.io/cilium/cilium" + digest}}, onNode("quay.io/cilium/cilium" + digest)},
		"dangling image":                   {"", [][]string{{"<none>@<none>", "<none>:<none>"}, {}}, fallback},
		"dangling tag":                     {"", [][]string{{"docker.io/library/alpine" + digest, "docker.io/library/alpine:<none>"}}, onNode("docker.io/library/alpine" + digest)},
		"small base before distribution":   {"", [][]string{{"docker.io/library/debian:12"}, {"docker.io/library/alpine:3"}}, onNode("docker.io/library/alpine:3")},
		"Docker's short name":              {"", [][]string{{"busybox:latest"}}, onNode("busybox:latest")},
		"Docker's short name with user":    {"", [][]string{{"nicolaka/netshoot:v0.13"}}, onNode("nicolaka/netshoot:v0.13")},
		"newer of two tags":                {"", [][]string{{"docker.io/library/busybox:1.28"}, {"docker.io/library/busybox:1.36"}}, onNode("docker.io/library/busybox:1.36")},
		"known name of another user":       {"", [][]string{{"docker.io/mallory/busybox:1"}, {"mallory/alpine:3"}}, hostShell("docker.io/mallory/busybox:1")},
		"known name in another registry":   {"", [][]string{{"evil.example/library/busybox:1"}, {"localhost/busybox:1"}, {"evil.example:5000/busybox"}}, hostShell("evil.example/library/busybox:1")},
		"known name as a part of the path": {"", [][]string{{"evil.example/docker.io/library/busybox:1"}, {"docker.io/library/busybox/x:1"}}, hostShell("docker.io/library/busybox/x:1")},
	} {
		t.Run(name, func(t *testing.T) {
			node := testNode(nil)
			node.Status.Images = nil
			for _, names := range c.images {
				node.Status.Images = append(node.Status.Images, corev1.ContainerImage{Names: names})
			}
			if got := chooseImage(Config{Image: c.asked}, node); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
