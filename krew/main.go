// Krew packs a release: an archive for each platform, their checksums, a bill of
// materials, and the manifest by which krew installs them. Packed again from the
// same files it is the same, byte for byte.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const plugin = "kubectl-nodedoc"

// release is what is packed.
type release struct {
	version string
	// made is the time of the commit: that of all files, too.
	made time.Time
	// built has a directory OS-ARCH for each platform, with the plugin in it.
	built     string
	platforms []platform
	// probes are programs that each plugin carries.
	probes []string
	// beside are the files that go into every archive.
	beside   []string
	template string
	out      string
}

type platform struct{ OS, Arch string }

// Bin is the plugin's name there.
func (p platform) Bin() string {
	if p.OS == "windows" {
		return plugin + ".exe"
	}
	return plugin
}

// archive is the name of what is downloaded: each system's own format.
func (r release) archive(p platform) string {
	ending := ".tar.gz"
	if p.OS == "windows" {
		ending = ".zip"
	}
	return plugin + "_" + r.version + "_" + p.OS + "_" + p.Arch + ending
}

func main() {
	r, err := fromFlags(os.Args[1:])
	if err == nil {
		err = r.pack()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "krew:", err)
		os.Exit(1)
	}
}

func fromFlags(args []string) (release, error) {
	var r release
	flags := flag.NewFlagSet("krew", flag.ContinueOnError)
	flags.StringVar(&r.version, "version", "", "the version, vX.Y.Z")
	made := flags.Int64("time", 0, "the commit's time, seconds since 1970")
	flags.StringVar(&r.built, "built", "", "the directory with OS-ARCH/"+plugin)
	flags.StringVar(&r.template, "template", "", "the manifest's template")
	flags.StringVar(&r.out, "out", "", "the directory to write")
	each := func(add func(string)) func(string) error {
		return func(s string) error { add(s); return nil }
	}
	flags.Func("probe", "a program that each plugin carries; repeated", each(func(s string) { r.probes = append(r.probes, s) }))
	flags.Func("file", "a file for every archive; repeated", each(func(s string) { r.beside = append(r.beside, s) }))
	if err := flags.Parse(args); err != nil {
		return r, err
	}
	r.made = time.Unix(*made, 0).UTC()
	for _, s := range flags.Args() {
		system, arch, ok := strings.Cut(s, "/")
		if !ok {
			return r, fmt.Errorf("a platform is OS/ARCH, not %q", s)
		}
		r.platforms = append(r.platforms, platform{system, arch})
	}
	if r.version == "" || r.built == "" || r.template == "" || r.out == "" || len(r.platforms) == 0 {
		return r, errors.New("needed: -version, -built, -template, -out and platforms: see `make release`")
	}
	return r, nil
}

// pack writes everything into r.out, sums last.
func (r release) pack() error {
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	sums := map[platform]string{}
	var names []string
	for _, p := range r.platforms {
		name := r.archive(p)
		body, err := r.packed(p)
		if err != nil {
			return fmt.Errorf("failed to pack %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(r.out, name), body, 0o644); err != nil { //nolint:gosec // where the Makefile says
			return err
		}
		sum := sha256.Sum256(body)
		sums[p] = hex.EncodeToString(sum[:])
		names = append(names, name)
	}
	materials, manifest := plugin+"_"+r.version+".cdx.json", "nodedoc.yaml"
	for _, file := range []struct {
		name string
		make func() ([]byte, error)
	}{{materials, r.materials}, {manifest, func() ([]byte, error) { return r.manifest(sums) }}} {
		body, err := file.make()
		if err == nil {
			err = os.WriteFile(filepath.Join(r.out, file.name), body, 0o644)
		}
		if err != nil {
			return fmt.Errorf("failed to write %s: %w", file.name, err)
		}
	}
	return writeSums(r.out, r.made, append(names, materials, manifest))
}

// writeSums writes SHA256SUMS, as sha256sum -c reads it. Its own time tells by which
// SOURCE_DATE_EPOCH it is made again.
func writeSums(dir string, made time.Time, names []string) error {
	var b strings.Builder
	for _, name := range names {
		body, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // written just now
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(body), name)
	}
	file := filepath.Join(dir, "SHA256SUMS")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		return err
	}
	return os.Chtimes(file, made, made)
}
