package debugpod

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const pauseImage = "registry.k8s.io/pause:3.10"

// onHostShell makes a spec that runs the node's shell.
func onHostShell(s *podSpec) {
	s.image = imageChoice{name: pauseImage, pull: corev1.PullNever, onNode: true, by: byHostShell}
	s.command = command(byHostShell, s.nonce, []byte(fakeProbe))
}

func onlyPause(n *corev1.Node) {
	n.Status.Images = []corev1.ContainerImage{{Names: []string{"docker.io/corp/app:1"}, SizeBytes: 900}, {Names: []string{pauseImage}, SizeBytes: 1000}}
}

func TestHostShellIsTheExceptionAndSaid(t *testing.T) {
	p, warnings, err := runPreflight(t, newFakeCluster(t, testNode(onlyPause)), testConfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"lists no image that is known to carry a shell", "the node's own", "/usr, /bin, /lib, /lib64 mounted read-only", pauseImage, "--image"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("warnings %q lack %q", warnings, want)
		}
	}
	if startedBy(p.pod) != byHostShell {
		t.Errorf("command %q", p.pod.Spec.Containers[0].Command)
	}
	p, _, err = runPreflight(t, newFakeCluster(t, testNode(nil)), testConfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range p.pod.Spec.Volumes {
		if v.HostPath != nil {
			t.Errorf("with an image of its own it mounts %s", v.HostPath.Path)
		}
	}
}

// The runtime would make on the node what is missing there, and the mount must
// not be writable.
func TestHostMountsNeitherMakeNorWrite(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		p := pod(testSpec(func(s *podSpec) { onHostShell(s); s.arch = arch }))
		paths := map[string]string{}
		for _, v := range p.Spec.Volumes {
			if h := v.HostPath; h != nil {
				paths[v.Name] = h.Path
				if h.Type == nil || *h.Type != corev1.HostPathDirectory {
					t.Errorf("%s: %s has type %v", arch, h.Path, h.Type)
				}
			}
		}
		for _, m := range p.Spec.Containers[0].VolumeMounts {
			if path, host := paths[m.Name]; host && (!m.ReadOnly || m.MountPath != path || m.MountPropagation != nil) {
				t.Errorf("%s: %+v", arch, m)
			}
		}
	}
	if strings.Contains(strings.Join(hostDirs("arm64"), " "), "lib64") {
		t.Error("an arm64 node need not have /lib64")
	}
}

func TestNodesWithoutAShellPull(t *testing.T) {
	for _, system := range []string{"Talos (v1.11.2)", "Bottlerocket OS 1.49.0 (aws-k8s-1.33)", "NixOS 25.05"} {
		node := testNode(func(n *corev1.Node) { onlyPause(n); n.Status.NodeInfo.OSImage = system })
		if got := chooseImage(Config{}, node); got.name != defaultImage || got.by != byImageShell {
			t.Errorf("%s: %+v", system, got)
		}
	}
}

func TestAnyImage(t *testing.T) {
	image := func(bytes int64, names ...string) corev1.ContainerImage {
		return corev1.ContainerImage{Names: names, SizeBytes: bytes}
	}
	for name, c := range map[string]struct {
		images []corev1.ContainerImage
		want   string
	}{
		"none":                   {nil, ""},
		"without a name":         {[]corev1.ContainerImage{image(1), image(1, "<none>@<none>", "<none>:<none>")}, ""},
		"by digest only":         {[]corev1.ContainerImage{image(1, "corp/a"+digest)}, ""},
		"pause before a smaller": {[]corev1.ContainerImage{image(1, "corp/a:1"), image(9, "harbor.corp:443/k8s/pause:3.9")}, "harbor.corp:443/k8s/pause:3.9"},
		"pause of one platform":  {[]corev1.ContainerImage{image(9, "k8s.gcr.io/pause-amd64:3.1"), image(1, "corp/a:1")}, "k8s.gcr.io/pause-amd64:3.1"},
		"the smallest":           {[]corev1.ContainerImage{image(9, "corp/a:1"), image(8, "corp/b:1"), image(8, "corp/a:2")}, "corp/a:2"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := anyImage(c.images); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Nothing of the image may count, its environment neither: a bash that is
// called sh takes functions from there.
func TestHostShellDropsTheEnvironment(t *testing.T) {
	argv := command(byHostShell, "n0nce", []byte(fakeProbe))
	dir := t.TempDir()
	for i := range argv {
		argv[i] = strings.ReplaceAll(argv[i], probeDir, dir)
	}
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Env = []string{"PATH=/nowhere", "BASH_FUNC_head%%=() { echo hijacked; }", "ENV=/nowhere", "IFS=0"}
	cmd.Stdin = strings.NewReader("n0nce\n" + fakeProbe)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil || !strings.HasPrefix(string(out), "hello serve n0nce\n") {
		t.Errorf("got %v, %q, %q", err, out, errOut.String())
	}
}

func TestMutatedHostShellIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*corev1.Pod)
		want string
	}{
		"another directory": {func(p *corev1.Pod) { p.Spec.Volumes[1].HostPath.Path = "/tmp/usr" }, `volume "host-usr" changed`},
		"made if missing": {func(p *corev1.Pod) {
			p.Spec.Volumes[1].HostPath.Type = new(corev1.HostPathDirectoryOrCreate)
		}, `volume "host-usr" changed`},
		"writable":        {func(p *corev1.Pod) { p.Spec.Containers[0].VolumeMounts[2].ReadOnly = false }, "readOnly of mount /usr changed"},
		"volume removed":  {func(p *corev1.Pod) { p.Spec.Volumes = p.Spec.Volumes[:2] }, `volume "host-bin" removed`},
		"a preload":       {func(p *corev1.Pod) { p.Spec.Containers[0].Env[0].Value = "/x.so" }, `environment variable "LD_PRELOAD" changed`},
		"its own /etc":    {func(p *corev1.Pod) { p.Spec.Containers[0].VolumeMounts[1].MountPath = "/x" }, "mount of /etc removed"},
		"disk for memory": {func(p *corev1.Pod) { p.Spec.Volumes[0].EmptyDir.Medium = "" }, `volume "probe" changed`},
	} {
		t.Run(name, func(t *testing.T) {
			asked := pod(testSpec(onHostShell))
			got := asked.DeepCopy()
			c.edit(got)
			if fatal, _ := mutations(asked, got); !strings.Contains(strings.Join(fatal, "; "), c.want) {
				t.Errorf("got %q, want %q", fatal, c.want)
			}
		})
	}
	if fatal, notable := mutations(pod(testSpec(onHostShell)), pod(testSpec(onHostShell))); len(fatal)+len(notable) > 0 {
		t.Errorf("unchanged, but %q, %q", fatal, notable)
	}
}

func TestHostShellThatIsNotThere(t *testing.T) {
	const next = "name an image with a shell by --image, or one that holds the probe by --probe-image"
	for name, message := range map[string]string{
		"no env":       `unable to start container process: exec: "/usr/bin/env": stat /usr/bin/env: no such file or directory: unknown`,
		"no loader":    "exec /usr/bin/env: no such file or directory\n",
		"no sh":        "/usr/bin/env: '/bin/sh': No such file or directory",
		"busybox's":    "env: can't execute '/bin/sh': No such file or directory",
		"no libraries": "/usr/bin/env: error while loading shared libraries: libc.so.6: cannot open shared object file",
	} {
		t.Run(name, func(t *testing.T) {
			p := &corev1.Pod{Spec: pod(testSpec(onHostShell)).Spec, Status: terminated("StartError", message, 127)}
			if _, _, err := stateOf(p); err == nil || !strings.Contains(err.Error(), `node "worker-1" has no shell of its own that serves: `+next) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("no such directory", func(t *testing.T) {
		c := newFakeCluster(t, testNode(onlyPause))
		c.kubelet = func(p *corev1.Pod) {
			p.Status = waitingFor("ContainerCreating", "")
			if err := c.Tracker().Add(&corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "e", Namespace: p.Namespace},
				InvolvedObject: corev1.ObjectReference{UID: p.UID}, LastTimestamp: metav1.Now(), Reason: "FailedMount",
				Message: `MountVolume.SetUp failed for volume "host-lib64" : hostPath type check failed: /lib64 is not a directory`}); err != nil {
				t.Error(err)
			}
		}
		_, _, err := begin(t.Context(), c, answers, nil)
		if err == nil || !strings.Contains(err.Error(), "/lib64 is not a directory") || !strings.Contains(err.Error(), next) {
			t.Errorf("got %v", err)
		}
		wantGone(t, c)
	})
}

func TestPolicyAgainstHostPathNamesTheWayOut(t *testing.T) {
	c := newFakeCluster(t, testNode(onlyPause))
	c.admit = func(*corev1.Pod) error {
		return forbidden(`admission webhook "validate.kyverno.svc" denied the request: hostPath volumes are forbidden`)
	}
	_, _, err := runPreflight(t, c, testConfig())
	if err == nil || !strings.Contains(err.Error(), "hostPath volumes are forbidden") || !strings.Contains(err.Error(), "it mounts the node's programs") ||
		!strings.Contains(err.Error(), "--probe-image") {
		t.Errorf("got %v", err)
	}
}
