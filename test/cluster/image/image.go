// Package image writes container images without a registry and without a container engine.
package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Image is what becomes a docker-archive.
type Image struct {
	Names      []string // full references, as Reference makes them
	Entrypoint []string
	Cmd        []string
	Env        []string
	Arch       string // GOARCH
	Layers     [][]File
}

type config struct {
	Architecture string        `json:"architecture"`
	OS           string        `json:"os"`
	Config       runtimeConfig `json:"config"`
	RootFS       rootFS        `json:"rootfs"`
}

type runtimeConfig struct {
	Entrypoint []string `json:"Entrypoint,omitempty"`
	Cmd        []string `json:"Cmd,omitempty"`
	Env        []string `json:"Env,omitempty"`
	WorkingDir string   `json:"WorkingDir"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

type manifest struct {
	Config   string   `json:"Config"`
	RepoTags []string `json:"RepoTags"`
	Layers   []string `json:"Layers"`
}

// Write writes the image as a docker-archive, the format of `docker save`: the configuration, one tar per layer, and a
// manifest that names them. The same image gives the same bytes.
func (i Image) Write(w io.Writer) error {
	description := config{
		Architecture: i.Arch,
		OS:           "linux",
		Config:       runtimeConfig{Entrypoint: i.Entrypoint, Cmd: i.Cmd, Env: i.Env, WorkingDir: "/"},
		RootFS:       rootFS{Type: "layers"},
	}
	contents := manifest{RepoTags: i.Names}
	archive := tar.NewWriter(w)
	for _, files := range i.Layers {
		layer, err := writeLayer(files)
		if err != nil {
			return err
		}
		sum := digest(layer)
		description.RootFS.DiffIDs = append(description.RootFS.DiffIDs, "sha256:"+sum)
		contents.Layers = append(contents.Layers, sum+"/layer.tar")
		if err := add(archive, sum+"/layer.tar", layer); err != nil {
			return err
		}
	}
	return finish(archive, description, contents)
}

// finish writes what names the layers, which therefore come first.
func finish(archive *tar.Writer, description config, contents manifest) error {
	encoded, err := json.Marshal(description)
	if err != nil {
		return fmt.Errorf("failed to encode the image configuration: %w", err)
	}
	contents.Config = digest(encoded) + ".json"
	if err := add(archive, contents.Config, encoded); err != nil {
		return err
	}
	listing, err := json.Marshal([]manifest{contents})
	if err != nil {
		return fmt.Errorf("failed to encode the image manifest: %w", err)
	}
	if err := add(archive, "manifest.json", listing); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("failed to finish the image archive: %w", err)
	}
	return nil
}

func add(archive *tar.Writer, name string, content []byte) error {
	header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}
	if err := archive.WriteHeader(header); err != nil {
		return fmt.Errorf("failed to write %q to the image archive: %w", name, err)
	}
	if _, err := io.Copy(archive, bytes.NewReader(content)); err != nil {
		return fmt.Errorf("failed to write %q to the image archive: %w", name, err)
	}
	return nil
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// Reference completes an image name in the way that container runtimes do: "busybox" is
// "docker.io/library/busybox:latest".
func Reference(name string) string {
	if !strings.Contains(name[strings.LastIndex(name, "/")+1:], ":") && !strings.Contains(name, "@") {
		name += ":latest"
	}
	first, _, nested := strings.Cut(name, "/")
	switch {
	case !nested:
		return "docker.io/library/" + name
	case strings.ContainsAny(first, ".:") || first == "localhost":
		return name
	default:
		return "docker.io/" + name
	}
}
