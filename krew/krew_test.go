package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// A build for two systems; the plugin is this test's own program, which says what it
// was linked from.
func testRelease(t *testing.T) release {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	r := release{version: "v1.2.3", made: time.Unix(1_700_000_000, 0).UTC(), built: filepath.Join(dir, "built"), out: filepath.Join(dir, "out"),
		platforms: []platform{{"linux", "amd64"}, {"windows", "arm64"}}, template: "nodedoc.yaml.tmpl", beside: []string{filepath.Join(dir, "LICENSE"), filepath.Join(dir, "complete")}}
	for file, content := range map[string][]byte{
		r.beside[0]: []byte("do what you like\n"), r.beside[1]: []byte("#!/bin/sh\n"),
		filepath.Join(r.built, "linux-amd64", "kubectl-nodedoc"):       body,
		filepath.Join(r.built, "windows-arm64", "kubectl-nodedoc.exe"): body,
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, 0o600); err != nil { // whatever the umask was
			t.Fatal(err)
		}
	}
	r.probes = []string{filepath.Join(r.built, "linux-amd64", "kubectl-nodedoc")}
	if err := r.pack(); err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t *testing.T, r release, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(r.out, name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// One release for all: a program takes seconds to pack.
func TestRelease(t *testing.T) {
	r := testRelease(t)
	for name, test := range map[string]func(*testing.T, release){
		"a tar has nothing of the machine":    tarHasNothingOfTheMachine,
		"a zip for Windows":                   zipForWindows,
		"packed again it is the same":         packedAgainItIsTheSame,
		"the manifest has the archives' sums": sumsAreThoseOfTheManifest,
		"what it was linked from":             billOfMaterials,
	} {
		t.Run(name, func(t *testing.T) { test(t, r) })
	}
}

func tarHasNothingOfTheMachine(t *testing.T, r release) {
	t.Helper()
	unpacked, err := gzip.NewReader(bytes.NewReader(read(t, r, "kubectl-nodedoc_v1.2.3_linux_amd64.tar.gz")))
	if err != nil {
		t.Fatal(err)
	}
	if !unpacked.ModTime.IsZero() || unpacked.Name != "" {
		t.Errorf("gzip: %+v", unpacked.Header)
	}
	var got []string
	for files := tar.NewReader(unpacked); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, h.Name+" "+strconv.FormatInt(h.Mode, 8))
		if !h.ModTime.Equal(r.made) || h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" {
			t.Errorf("got %+v", h)
		}
	}
	if want := []string{"LICENSE 644", "complete 755", "kubectl-nodedoc 755"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func zipForWindows(t *testing.T, r release) {
	t.Helper()
	body := read(t, r, "kubectl-nodedoc_v1.2.3_windows_arm64.zip")
	files, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files.File {
		got = append(got, f.Name+" "+f.Mode().String())
		if !f.Modified.Equal(r.made) {
			t.Errorf("%s is of %s", f.Name, f.Modified)
		}
	}
	if want := []string{"LICENSE -rw-r--r--", "complete -rwxr-xr-x", "kubectl-nodedoc.exe -rwxr-xr-x"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func packedAgainItIsTheSame(t *testing.T, r release) {
	t.Helper()
	first := read(t, r, "SHA256SUMS")
	r.out = t.TempDir()
	if err := r.pack(); err != nil {
		t.Fatal(err)
	}
	if again := read(t, r, "SHA256SUMS"); !bytes.Equal(first, again) {
		t.Errorf("got\n%sthen\n%s", first, again)
	}
}

func sumsAreThoseOfTheManifest(t *testing.T, r release) {
	t.Helper()
	manifest := string(read(t, r, "nodedoc.yaml"))
	for _, p := range r.platforms {
		sum := sha256.Sum256(read(t, r, r.archive(p)))
		for _, want := range []string{"sha256: " + hex.EncodeToString(sum[:]), "/v1.2.3/" + r.archive(p), "bin: " + p.Bin()} {
			if !strings.Contains(manifest, want+"\n") {
				t.Errorf("no %q in %s", want, manifest)
			}
		}
	}
}

func billOfMaterials(t *testing.T, r release) {
	t.Helper()
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(read(t, r, "kubectl-nodedoc_v1.2.3.cdx.json")), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if bom.SpecVersion != cdx.SpecVersion1_6 || bom.Metadata.Timestamp != "2023-11-14T22:13:20Z" || bom.Metadata.Component.Version != "v1.2.3" {
		t.Errorf("got %+v", bom.Metadata)
	}
	known := map[string]bool{bom.Metadata.Component.BOMRef: true}
	var names []string
	for _, c := range *bom.Components {
		known[c.BOMRef] = true
		names = append(names, c.Name)
		if c.Type == cdx.ComponentTypeLibrary && c.Name != "std" && (c.Hashes == nil || len((*c.Hashes)[0].Value) != 64) {
			t.Errorf("%s has no hash", c.Name)
		}
	}
	for _, want := range []string{"github.com/CycloneDX/cyclonedx-go", "std", "nodedoc-probe"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %s in %v", want, names)
		}
	}
	for _, d := range *bom.Dependencies {
		for _, ref := range append(*d.Dependencies, d.Ref) {
			if !known[ref] {
				t.Errorf("nothing is %s", ref)
			}
		}
	}
}

func TestWhatCannotBePacked(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"nothing said":    {nil, "needed: -version"},
		"half a platform": {[]string{"linux"}, `a platform is OS/ARCH, not "linux"`},
		"nothing built": {[]string{"-version", "v1.0.0", "-built", t.TempDir(), "-template", "nodedoc.yaml.tmpl", "-out", t.TempDir(), "linux/amd64"},
			"failed to pack kubectl-nodedoc_v1.0.0_linux_amd64.tar.gz"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := fromFlags(c.args)
			if err == nil {
				err = r.pack()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
