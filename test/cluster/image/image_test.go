package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"testing"
)

func sample() Image {
	return Image{
		Names:      []string{Reference("hello")},
		Entrypoint: []string{"/hello", "world"},
		Arch:       "amd64",
		Layers: [][]File{
			{{Path: "bin/busybox", Mode: 0o755, Content: []byte("program")}, {Path: "bin/sh", Link: "busybox"}},
			{{Path: "/data/deep/file", Mode: 0o600, Content: []byte("text")}},
		},
	}
}

// entry is what a reader of an archive sees.
type entry struct {
	name    string
	kind    byte
	mode    int64
	link    string
	content string
}

func read(t *testing.T, content []byte) []entry {
	t.Helper()
	var entries []entry
	reader := tar.NewReader(bytes.NewReader(content))
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry{header.Name, header.Typeflag, header.Mode, header.Linkname, string(body)})
	}
}

func TestArchiveNamesWhatItHolds(t *testing.T) {
	var out bytes.Buffer
	if err := sample().Write(&out); err != nil {
		t.Fatal(err)
	}
	contents := map[string]string{}
	for _, e := range read(t, out.Bytes()) {
		contents[e.name] = e.content
	}
	var manifests []manifest
	if err := json.Unmarshal([]byte(contents["manifest.json"]), &manifests); err != nil {
		t.Fatal(err)
	}
	if len(manifests) != 1 || len(manifests[0].Layers) != 2 || manifests[0].RepoTags[0] != "docker.io/library/hello:latest" {
		t.Fatalf("unexpected manifest %+v", manifests)
	}
	var description config
	if err := json.Unmarshal([]byte(contents[manifests[0].Config]), &description); err != nil {
		t.Fatal(err)
	}
	for i, layer := range manifests[0].Layers {
		want := "sha256:" + digest([]byte(contents[layer]))
		if got := description.RootFS.DiffIDs[i]; got != want {
			t.Errorf("layer %d has digest %s, the configuration says %s", i, want, got)
		}
	}
	if got := description.Config.Entrypoint; !reflect.DeepEqual(got, []string{"/hello", "world"}) {
		t.Errorf("unexpected entry point %q", got)
	}
}

func TestSameImageSameBytes(t *testing.T) {
	var first, second bytes.Buffer
	if err := errors.Join(sample().Write(&first), sample().Write(&second)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two archives of one image differ")
	}
}

func TestLayer(t *testing.T) {
	tests := []struct {
		name  string
		files []File
		want  []entry
	}{
		{"empty", nil, nil},
		{"missing parents are made once", []File{{Path: "a/b/c", Mode: 0o644}, {Path: "a/b/d", Mode: 0o644, Content: []byte("x")}}, []entry{
			{"a/", tar.TypeDir, 0o755, "", ""},
			{"a/b/", tar.TypeDir, 0o755, "", ""},
			{"a/b/c", tar.TypeReg, 0o644, "", ""},
			{"a/b/d", tar.TypeReg, 0o644, "", "x"},
		}},
		{"a directory keeps its own mode", []File{{Path: "tmp", Mode: 0o1777, Dir: true}, {Path: "tmp/x", Mode: 0o600}}, []entry{
			{"tmp/", tar.TypeDir, 0o1777, "", ""},
			{"tmp/x", tar.TypeReg, 0o600, "", ""},
		}},
		{"a link", []File{{Path: "sh", Link: "busybox"}}, []entry{{"sh", tar.TypeSymlink, 0o777, "busybox", ""}}},
		{"nothing leaves the image", []File{{Path: "../../etc", Mode: 0o600}}, []entry{{"etc", tar.TypeReg, 0o600, "", ""}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			layer, err := writeLayer(test.files)
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, layer); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestReference(t *testing.T) {
	for name, want := range map[string]string{
		"busybox":              "docker.io/library/busybox:latest",
		"busybox:1":            "docker.io/library/busybox:1",
		"someone/tool":         "docker.io/someone/tool:latest",
		"registry.k8s.io/p:3":  "registry.k8s.io/p:3",
		"localhost/x":          "localhost/x:latest",
		"registry:5000/team/x": "registry:5000/team/x:latest",
	} {
		if got := Reference(name); got != want {
			t.Errorf("Reference(%q) is %q, want %q", name, got, want)
		}
	}
}

func TestBusyboxLinksItsApplets(t *testing.T) {
	links := map[string]string{}
	for _, file := range Busybox(nil, []string{"busybox", "sh", "cat"}) {
		if file.Link != "" {
			links[file.Path] = file.Link
		}
	}
	if want := map[string]string{"bin/sh": "busybox", "bin/cat": "busybox"}; !reflect.DeepEqual(links, want) {
		t.Errorf("got %v, want %v", links, want)
	}
}
