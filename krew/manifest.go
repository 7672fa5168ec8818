package main

import (
	"bytes"
	"fmt"
	"os"
	"text/template"
)

// download is a platform in the manifest.
type download struct {
	platform
	Archive, SHA256 string
}

// manifest fills the template; see nodedoc.yaml.tmpl.
func (r release) manifest(sums map[platform]string) ([]byte, error) {
	text, err := os.ReadFile(r.template)
	if err != nil {
		return nil, err
	}
	t, err := template.New(r.template).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, err
	}
	values := struct {
		Version   string
		Platforms []download
	}{Version: r.version}
	for _, p := range r.platforms {
		if len(sums[p]) != 64 {
			return nil, fmt.Errorf("%s/%s has no checksum", p.OS, p.Arch)
		}
		values.Platforms = append(values.Platforms, download{p, r.archive(p), sums[p]})
	}
	var b bytes.Buffer
	err = t.Execute(&b, values)
	return b.Bytes(), err
}
