package image

import (
	"archive/tar"
	"bytes"
	"fmt"
	"path"
	"strings"
)

// File is one entry of a layer: a directory if Mode is a directory's, a symbolic link if Link is set, otherwise a
// regular file. Missing parents are made.
type File struct {
	Path    string
	Mode    int64
	Content []byte
	Link    string
	Dir     bool
}

func writeLayer(files []File) ([]byte, error) {
	var buffer bytes.Buffer
	layer := tar.NewWriter(&buffer)
	made := map[string]bool{".": true}
	for _, file := range files {
		name := clean(file.Path)
		for _, parent := range parents(name) {
			if made[parent] {
				continue
			}
			made[parent] = true
			if err := writeEntry(layer, parent, File{Dir: true, Mode: 0o755}); err != nil {
				return nil, err
			}
		}
		made[name] = true
		if err := writeEntry(layer, name, file); err != nil {
			return nil, err
		}
	}
	if err := layer.Close(); err != nil {
		return nil, fmt.Errorf("failed to finish an image layer: %w", err)
	}
	return buffer.Bytes(), nil
}

func writeEntry(layer *tar.Writer, name string, file File) error {
	header := &tar.Header{Name: name, Mode: file.Mode, Typeflag: tar.TypeReg, Size: int64(len(file.Content))}
	switch {
	case file.Dir:
		header.Typeflag, header.Size, header.Name = tar.TypeDir, 0, name+"/"
	case file.Link != "":
		header.Typeflag, header.Size, header.Linkname, header.Mode = tar.TypeSymlink, 0, file.Link, 0o777
	}
	if err := layer.WriteHeader(header); err != nil {
		return fmt.Errorf("failed to write %q to an image layer: %w", name, err)
	}
	if header.Size == 0 {
		return nil
	}
	if _, err := layer.Write(file.Content); err != nil {
		return fmt.Errorf("failed to write %q to an image layer: %w", name, err)
	}
	return nil
}

// clean gives the name as a tar has it: relative, and never outside the image.
func clean(name string) string {
	return strings.TrimPrefix(path.Clean("/"+name), "/")
}

// parents lists the directories above name, outermost first.
func parents(name string) []string {
	var above []string
	for i, r := range name {
		if r == '/' {
			above = append(above, name[:i])
		}
	}
	return above
}
