package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/image"
)

// loadOptions say what image to make, and of what.
type loadOptions struct {
	image      string
	base       string
	entrypoint []string
	files      []string // FILE or FILE=PATH/IN/IMAGE
	nodes      []string // none: every node
}

// load makes an image and imports it on nodes.
func load(ctx context.Context, l layout, p progress, o loadOptions) error {
	s, err := loadState(l)
	if err != nil {
		return err
	}
	img, err := o.compose()
	if err != nil {
		return err
	}
	packed, err := pack(img)
	if err != nil {
		return err
	}
	nodes := s.Nodes
	if len(o.nodes) > 0 {
		nodes = nil
		for _, name := range o.nodes {
			n, err := s.node(name)
			if err != nil {
				return err
			}
			nodes = append(nodes, n)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, n := range nodes {
		group.Go(func() error { return n.load(ctx, l, packed) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	p.say("%s is on %d nodes", packed.name, len(nodes))
	return nil
}

func (o loadOptions) compose() (image.Image, error) {
	img := image.Image{
		Names:      []string{image.Reference(o.image)},
		Entrypoint: o.entrypoint,
		Arch:       runtime.GOARCH,
	}
	switch o.base {
	case "":
	case "busybox":
		layer, err := busyboxLayer()
		if err != nil {
			return img, err
		}
		img.Layers, img.Env = append(img.Layers, layer), []string{busyboxPath}
	default:
		return img, fmt.Errorf("failed to build on base %q: only busybox is known", o.base)
	}
	var layer []image.File
	for _, argument := range o.files {
		file, err := readFile(argument)
		if err != nil {
			return img, err
		}
		layer = append(layer, file)
	}
	img.Layers = append(img.Layers, layer)
	return img, nil
}

// readFile reads FILE, which goes to the top of the image, or FILE=PATH/IN/IMAGE.
func readFile(argument string) (image.File, error) {
	source, target, named := strings.Cut(argument, "=")
	if !named {
		target = filepath.Base(source)
	}
	info, err := os.Stat(source)
	if err != nil {
		return image.File{}, fmt.Errorf("failed to find %q: %w", source, err)
	}
	content, err := os.ReadFile(source)
	if err != nil {
		return image.File{}, fmt.Errorf("failed to read %q: %w", source, err)
	}
	return image.File{Path: target, Mode: int64(info.Mode().Perm()), Content: content}, nil
}
