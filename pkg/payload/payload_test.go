package payload

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"
)

func pack(t *testing.T, content string) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll([]byte(content), nil)
}

func TestProbe(t *testing.T) {
	const elf = "\x7fELF and the rest"
	packed := pack(t, elf)
	for name, c := range map[string]struct {
		arch string
		file []byte
		want string // in the error; empty: the binary is expected
	}{
		"the node's architecture": {"arm64", packed, ""},
		"other architecture":      {"s390x", packed, `no probe for linux/"s390x"`},
		"hostile architecture":    {"../\x1b", packed, `no probe for linux/"../\x1b"`},
		"built without probes":    {"arm64", nil, "build it with `make build`"},
		"cut short":               {"arm64", packed[:len(packed)-9], "failed to unpack"},
		"not compressed":          {"arm64", []byte(elf), "failed to unpack"},
		"not a binary":            {"arm64", pack(t, "#!/bin/sh"), "no ELF binary"},
	} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{}
			if c.file != nil {
				files["bin/nodedoc-probe-linux-arm64.zst"] = &fstest.MapFile{Data: c.file}
			}
			got, err := probe(files, c.arch)
			switch {
			case c.want == "" && (err != nil || string(got) != elf):
				t.Errorf("got %q, %v", got, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
