package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

const module = "github.com/nodedoc/kubectl-nodedoc"

// materials is the bill of materials, as CycloneDX 1.6 has it: by the programs
// themselves, which say what they were linked from, not by go.mod.
func (r release) materials() ([]byte, error) {
	plugins := make([]string, 0, len(r.platforms))
	for _, p := range r.platforms {
		plugins = append(plugins, filepath.Join(r.built, p.OS+"-"+p.Arch, p.Bin()))
	}
	whole := r.program(plugin)
	inPlugin, err := modulesOf(plugins)
	if err != nil {
		return nil, err
	}
	components := maps.Clone(inPlugin)
	needs := []cdx.Dependency{}
	refs := slices.Sorted(maps.Keys(inPlugin))
	if len(r.probes) > 0 {
		probe := r.program("nodedoc-probe")
		inProbe, err := modulesOf(r.probes)
		if err != nil {
			return nil, err
		}
		maps.Copy(components, inProbe)
		components[probe.BOMRef] = probe
		needs = append(needs, cdx.Dependency{Ref: probe.BOMRef, Dependencies: new(slices.Sorted(maps.Keys(inProbe)))})
		refs = append(refs, probe.BOMRef)
	}
	needs = append([]cdx.Dependency{{Ref: whole.BOMRef, Dependencies: &refs}}, needs...)
	list := make([]cdx.Component, 0, len(components))
	for _, ref := range slices.Sorted(maps.Keys(components)) {
		list = append(list, components[ref])
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Timestamp: r.made.Format(time.RFC3339), Component: &whole}
	bom.Components, bom.Dependencies = &list, &needs
	var b bytes.Buffer
	err = cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
	return b.Bytes(), err
}

// program is one of ours.
func (r release) program(name string) cdx.Component {
	purl := "pkg:golang/" + module + "@" + r.version + "#cmd/" + name
	return cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeApplication, Name: name, Version: r.version, PackageURL: purl,
		Licenses: &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}}}
}

// modulesOf are the modules that programs were linked from, Go's own packages among
// them, by their package URLs.
func modulesOf(programs []string) (map[string]cdx.Component, error) {
	all := map[string]cdx.Component{}
	for _, file := range programs {
		info, err := buildinfo.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("failed to read what %s was built from: %w", file, err)
		}
		std := library("std", strings.TrimPrefix(info.GoVersion, "go"))
		all[std.BOMRef] = std
		for _, m := range info.Deps {
			c, err := component(m)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			all[c.BOMRef] = c
		}
	}
	return all, nil
}

func library(name, version string) cdx.Component {
	purl := "pkg:golang/" + name + "@" + version
	return cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: name, Version: version, PackageURL: purl}
}

// component has the hash of go.sum: h1 is SHA-256 over the sums of all files of
// the module (golang.org/x/mod/sumdb/dirhash).
func component(m *debug.Module) (cdx.Component, error) {
	if m.Replace != nil {
		m = m.Replace
	}
	c := library(m.Path, m.Version)
	sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sum, "h1:"))
	if err != nil || len(sum) != 32 {
		return c, fmt.Errorf("module %s@%s has no checksum", m.Path, m.Version)
	}
	c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
	return c, nil
}
