package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// entry is a file in an archive.
type entry struct {
	name string
	mode int64
	body []byte
}

// packed is a platform's archive.
func (r release) packed(p platform) ([]byte, error) {
	files := []string{filepath.Join(r.built, p.OS+"-"+p.Arch, p.Bin())}
	var entries []entry
	for _, file := range append(files, r.beside...) {
		body, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{filepath.Base(file), modeOf(body), body})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	var out bytes.Buffer
	write := r.tarGz
	if p.OS == "windows" {
		write = r.zip
	}
	err := write(&out, entries)
	return out.Bytes(), err
}

// modeOf goes by what is in a file: modes on disk depend on who checked it out.
func modeOf(body []byte) int64 {
	for _, magic := range []string{"#!", "\x7fELF", "\xcf\xfa\xed\xfe", "MZ"} { // script, Linux, macOS, Windows
		if bytes.HasPrefix(body, []byte(magic)) {
			return 0o755
		}
	}
	return 0o644
}

// tarGz writes no owner, and no time but the commit's.
func (r release) tarGz(out io.Writer, entries []entry) error {
	packer, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(packer)
	for _, e := range entries {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: e.name, Mode: e.mode, Size: int64(len(e.body)), ModTime: r.made, Format: tar.FormatUSTAR}
		if err := t.WriteHeader(header); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		if _, err := t.Write(e.body); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return packer.Close()
}

func (r release) zip(out io.Writer, entries []entry) error {
	z := zip.NewWriter(out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: r.made}
		header.SetMode(os.FileMode(e.mode))
		w, err := z.CreateHeader(header)
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		if _, err := w.Write(e.body); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return z.Close()
}
