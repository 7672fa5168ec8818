package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/image"
)

const busyboxProgram = "/bin/busybox"

// archive is an image that is ready to be imported.
type archive struct {
	name    string
	content []byte
}

func pack(img image.Image) (archive, error) {
	var content bytes.Buffer
	if err := img.Write(&content); err != nil {
		return archive{}, err
	}
	return archive{name: img.Names[0], content: content.Bytes()}, nil
}

// standardImages are on every node from its start.
func standardImages(pause string) ([]archive, error) {
	binary, err := os.ReadFile(pause)
	if err != nil {
		return nil, fmt.Errorf("failed to read %q: %w", pause, err)
	}
	sandbox, err := pack(image.Image{
		Names:      []string{pauseImage},
		Entrypoint: []string{"/pause"},
		Arch:       runtime.GOARCH,
		Layers:     [][]image.File{{{Path: "pause", Mode: 0o755, Content: binary}}},
	})
	if err != nil {
		return nil, err
	}
	layer, err := busyboxLayer()
	if err != nil {
		return nil, err
	}
	busybox, err := pack(image.Image{
		// A pod that asks for "latest" pulls unless told otherwise; one that asks for "1" does not.
		Names:  []string{image.Reference("busybox"), image.Reference("busybox:1")},
		Cmd:    []string{"sh"},
		Env:    []string{busyboxPath},
		Arch:   runtime.GOARCH,
		Layers: [][]image.File{layer},
	})
	return []archive{sandbox, busybox}, err
}

const busyboxPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func busyboxLayer() ([]image.File, error) {
	binary, err := os.ReadFile(busyboxProgram)
	if err != nil {
		return nil, fmt.Errorf("failed to read %q: %w", busyboxProgram, err)
	}
	applets, err := exec.Command(busyboxProgram, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("failed to list busybox's applets: %w", err)
	}
	return image.Busybox(binary, strings.Fields(string(applets))), nil
}

// load imports an image. A containerd that has only just been started needs a moment before it listens.
func (s nodeState) load(ctx context.Context, l layout, a archive) error {
	needs := []daemon{{Name: "containerd of " + s.Name, PID: s.ContainerdPID, Log: s.ContainerdLog}}
	if s.VM != nil {
		needs = s.daemons()
	}
	return await(ctx, "image "+a.name+" on "+s.Name, s.patience(30*time.Second), needs, func(ctx context.Context) error {
		cmd := s.enter(ctx, "node-run", s.Name+"/user.slice", "ctr", "--namespace=k8s.io", "images", "import", "-")
		cmd.Env = append(environment(l), "CONTAINERD_SNAPSHOTTER="+s.Snapshotter)
		cmd.Stdin = bytes.NewReader(a.content)
		return quietly(cmd)
	})
}
