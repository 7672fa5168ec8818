package main

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
)

// The programs of a cluster, as source: the cluster program builds them wherever it runs, without its checkout.
//
//go:embed go.mod go.sum kube/main.go pause/main.go
var sources embed.FS

// binaries are the built programs in the user's cache.
type binaries struct {
	kube, pause string
}

var kubernetesRequirement = regexp.MustCompile(`k8s\.io/kubernetes (v\S+)`)

// buildBinaries builds what the cache lacks. The cache is keyed by the sources: whatever changes them builds anew.
func buildBinaries(ctx context.Context, l layout, p progress) (binaries, error) {
	requirements, err := sources.ReadFile("go.mod")
	if err != nil {
		return binaries{}, fmt.Errorf("failed to read the embedded go.mod: %w", err)
	}
	version := string(kubernetesRequirement.FindSubmatch(requirements)[1])
	cache, err := cacheDirectory(version)
	if err != nil {
		return binaries{}, err
	}
	built := binaries{kube: filepath.Join(cache, "kube"), pause: filepath.Join(cache, "pause")}
	if exists(built.kube) && exists(built.pause) {
		return built, nil
	}
	p.say("building Kubernetes %s: five minutes or so, once", version)
	if err := os.RemoveAll(l.build()); err != nil {
		return binaries{}, fmt.Errorf("failed to clear %q: %w", l.build(), err)
	}
	defer os.RemoveAll(l.build())
	if err := os.CopyFS(l.build(), sources); err != nil {
		return binaries{}, fmt.Errorf("failed to unpack the sources into %q: %w", l.build(), err)
	}
	if err := build(ctx, l, "./pause", built.pause); err != nil {
		return binaries{}, err
	}
	gitVersion := "-X k8s.io/component-base/version.gitVersion=" + version
	if err := build(ctx, l, "./kube", built.kube, "-tags=kube", "-ldflags=-s -w "+gitVersion); err != nil {
		return binaries{}, err
	}
	p.say("built Kubernetes %s", version)
	return built, nil
}

func cacheDirectory(version string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version())
	for _, name := range []string{"go.mod", "kube/main.go", "pause/main.go"} {
		content, err := sources.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("failed to read embedded %q: %w", name, err)
		}
		sum.Write(content)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("failed to find the user's cache: set HOME or XDG_CACHE_HOME: %w", err)
	}
	directory := filepath.Join(cache, "nodedoc-cluster", version+"-"+hex.EncodeToString(sum.Sum(nil))[:12])
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return "", fmt.Errorf("failed to make the cache %q: %w", directory, err)
	}
	return directory, nil
}

// build builds a package into the cache under another name first, since an interrupted build must not count as built.
func build(ctx context.Context, l layout, pkg, output string, flags ...string) error {
	unfinished := output + ".unfinished"
	defer os.Remove(unfinished)
	args := append([]string{"build", "-trimpath", "-buildvcs=false", "-o", unfinished}, append(flags, pkg)...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = l.build()
	// Marked, and with its temporary files here, so that `down` finds all of a build that was left alone.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=", "GOTMPDIR="+l.build(), instanceVariable+"="+l.dir)
	if err := quietly(cmd); err != nil {
		return err
	}
	if err := os.Rename(unfinished, output); err != nil {
		return fmt.Errorf("failed to put %q in its place: %w", output, err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
