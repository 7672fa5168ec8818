// Package krew tests that krew installs what `make release` has made.
package krew

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// manifest is what these tests look at; krew validates the rest.
type manifest struct {
	Spec struct {
		Version   string
		Platforms []struct {
			Selector struct{ MatchLabels map[string]string }
			URI, Bin string
		}
	}
}

func read(t *testing.T, file string) (m manifest) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run `make release`", err)
	}
	if err := yaml.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// absolute is a path from the repository's root.
func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// call runs a program, and fails where it does.
func call(t *testing.T, env []string, program string, args ...string) string {
	t.Helper()
	c := exec.Command(program, args...)
	c.Env = append(slices.Clone(os.Environ()), env...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Run(); err != nil {
		t.Fatalf("%s %s: %v: %s", program, strings.Join(args, " "), err, out.String())
	}
	return out.String()
}

// tools are krew, its validator and kubectl, as test/krew/go.mod names them.
func tools(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	call(t, nil, "go", "build", "-o", dir, "sigs.k8s.io/krew/cmd/krew", "sigs.k8s.io/krew/cmd/validate-krew-manifest", "./kubectl")
	return dir
}

func TestKrew(t *testing.T) {
	bin := tools(t)
	t.Run("what is released is valid", func(t *testing.T) { validate(t, bin, absolute(t, "dist/release/nodedoc.yaml")) })
	t.Run("plugin.yaml is valid", func(t *testing.T) { validate(t, bin, absolute(t, "plugin.yaml")) })
	made := read(t, absolute(t, "dist/release/nodedoc.yaml"))
	t.Run("plugin.yaml differs in version and sums only", sameTemplate)
	if len(made.Spec.Platforms) != 6 {
		t.Fatalf("%d platforms, want 6", len(made.Spec.Platforms))
	}
	for _, p := range made.Spec.Platforms {
		system, arch := p.Selector.MatchLabels["os"], p.Selector.MatchLabels["arch"]
		t.Run(system+" "+arch, func(t *testing.T) {
			root := install(t, bin, system, arch, filepath.Base(p.URI))
			installed := filepath.Join(root, "store", "nodedoc", made.Spec.Version)
			for _, file := range []string{p.Bin, "LICENSE", "kubectl_complete-nodedoc"} {
				if _, err := os.Stat(filepath.Join(installed, file)); err != nil {
					t.Error(err)
				}
			}
			if system == runtime.GOOS && arch == runtime.GOARCH {
				use(t, bin, root, installed, made.Spec.Version)
			}
		})
	}
}

// sameTemplate: what is said of the plugin is said of its last release, too.
func sameTemplate(t *testing.T) {
	var texts []string
	for _, file := range []string{absolute(t, "plugin.yaml"), absolute(t, "dist/release/nodedoc.yaml")} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		plain := strings.ReplaceAll(string(text), read(t, file).Spec.Version, "VERSION")
		texts = append(texts, regexp.MustCompile("[0-9a-f]{64}").ReplaceAllString(plain, "SUM"))
	}
	if texts[0] != texts[1] {
		t.Errorf("plugin.yaml:\n%s\nnow:\n%s", texts[0], texts[1])
	}
}

// validate has krew's own validator look at a manifest, which has to be named as the plugin.
func validate(t *testing.T, bin, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	named := filepath.Join(t.TempDir(), "nodedoc.yaml")
	if err := os.WriteFile(named, text, 0o600); err != nil {
		t.Fatal(err)
	}
	// It would install from the URIs, too, which are on the network: install does.
	call(t, nil, filepath.Join(bin, "validate-krew-manifest"), "-manifest", named, "-skip-install")
}

// install has krew check the archive's sum and unpack it, as on that system.
func install(t *testing.T, bin, system, arch, archive string) (root string) {
	t.Helper()
	root = t.TempDir()
	env := []string{"KREW_ROOT=" + root, "KREW_OS=" + system, "KREW_ARCH=" + arch, "KREW_NO_UPGRADE_CHECK=1"}
	release := absolute(t, "dist/release")
	call(t, env, filepath.Join(bin, "krew"), "install", "--manifest="+filepath.Join(release, "nodedoc.yaml"), "--archive="+filepath.Join(release, archive))
	return root
}

// use runs what is installed, itself and by kubectl, and completes by kubectl.
func use(t *testing.T, bin, root, installed, version string) {
	t.Helper()
	linked := filepath.Join(root, "bin", "kubectl-nodedoc")
	env := []string{"PATH=" + filepath.Join(root, "bin") + ":" + bin + ":" + os.Getenv("PATH"), "KUBECONFIG=" + os.DevNull}
	kubectl := filepath.Join(bin, "kubectl")
	for _, got := range []string{call(t, env, linked, "version"), call(t, env, kubectl, "nodedoc", "version")} {
		if !strings.HasPrefix(got, "kubectl-nodedoc "+version+" ") || !strings.Contains(got, "probes: linux/amd64, linux/arm64") {
			t.Errorf("got %q", got)
		}
	}
	completes(t, env, kubectl, false)
	// krew links the plugin only: the rest is what its caveats say.
	script := call(t, env, kubectl, "nodedoc", "completion", "kubectl")
	shipped, err := os.ReadFile(filepath.Join(installed, "kubectl_complete-nodedoc"))
	if err != nil || string(shipped) != script {
		t.Errorf("%v: shipped is %q, printed %q", err, shipped, script)
	}
	if err := os.WriteFile(filepath.Join(root, "bin", "kubectl_complete-nodedoc"), []byte(script), 0o700); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	completes(t, env, kubectl, true)
}

// completes asks as a shell does that has kubectl's completion.
func completes(t *testing.T, env []string, kubectl string, want bool) {
	t.Helper()
	for words, expected := range map[string]string{
		"who":           "whois-pid",
		"fd --by c":     "container",
		"fd --file-t":   "--file-types",
		"memory n -o j": "json",
	} {
		got := call(t, env, kubectl, append([]string{"__complete", "nodedoc"}, strings.Fields(words)...)...)
		if found := strings.Contains("\n"+got, "\n"+expected); found != want {
			t.Errorf("kubectl nodedoc %s<TAB>: got %q", words, got)
		}
	}
}
