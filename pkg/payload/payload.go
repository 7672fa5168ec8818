// Package payload carries the probe: one static, compressed Linux binary per
// architecture, embedded at build time, so that a node needs to download none.
package payload

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/klauspost/compress/zstd"
)

//go:embed all:bin
var embedded embed.FS

// Architectures are those that there are probes for.
func Architectures() []string { return []string{"amd64", "arm64"} }

// Probe is the probe's ELF binary for a Linux node of this architecture, as
// node.status.nodeInfo.architecture names it.
func Probe(arch string) ([]byte, error) { return probe(embedded, arch) }

func probe(files fs.FS, arch string) ([]byte, error) {
	if !slices.Contains(Architectures(), arch) {
		return nil, fmt.Errorf("there is no probe for linux/%q: nodes of amd64 and arm64 can be diagnosed", arch)
	}
	name := "bin/nodedoc-probe-linux-" + arch + ".zst"
	packed, err := fs.ReadFile(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("this build carries no probe for linux/%s: build it with `make build`", arch)
	}
	if err != nil {
		return nil, fmt.Errorf("failed to read the embedded %q: %w", name, err)
	}
	binary, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("failed to unpack the embedded %q: %w", name, err)
	}
	return binary, nil
}

func unpack(packed []byte) ([]byte, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	binary, err := z.DecodeAll(packed, nil)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(binary, []byte("\x7fELF")) {
		return nil, errors.New("it is no ELF binary")
	}
	return binary, nil
}
