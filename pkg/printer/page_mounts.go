package printer

import (
	"io"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
)

// MountsPage is Mounts as a document: of many nodes one table, then those with findings
// one by one, the sickest first.
func MountsPage(nodes []MountsNode, s Style) (document.Document, error) {
	if len(nodes) == 1 {
		section, err := mountsSection(nodes[0], s)
		return document.Document{Title: "Mounts of " + nodes[0].Node, Sections: []document.Section{section}}, err
	}
	d := document.Document{Title: "Mounts of " + comma(len(nodes)) + " nodes"}
	bare := make([]MountsNode, len(nodes))
	for i, n := range nodes {
		bare[i] = n
		bare[i].Findings = nil
	}
	all, err := sectionOf("all nodes", nil, func(w io.Writer) error { return Mounts(w, bare, s) },
		barsOf("Leaked mounts by node", nodes, func(n MountsNode) document.Bar {
			if n.NodeMounts == nil {
				return document.Bar{}
			}
			return document.Bar{Label: n.Node, Value: float64(n.Leaked.Mounts), Shown: comma(n.Leaked.Mounts)}
		}))
	if err != nil {
		return d, err
	}
	d.Sections = append(d.Sections, all)
	for _, n := range sickestFirst(nodes) {
		if len(n.Findings) == 0 {
			continue
		}
		section, err := mountsSection(n, s)
		if err != nil {
			return d, err
		}
		d.Sections = append(d.Sections, section)
	}
	return d, nil
}

func mountsSection(n MountsNode, s Style) (document.Section, error) {
	if n.NodeMounts == nil {
		return document.Section{Title: n.Node, Summary: "no answer: " + noAnswer(n)}, nil
	}
	return sectionOf(n.Node, n.Time, func(w io.Writer) error { return Mounts(w, []MountsNode{n}, s) },
		barsOf("Mounts by owner", n.ByOwner, func(c correlate.MountCount) document.Bar {
			return document.Bar{Label: c.Name, Value: float64(c.Mounts), Shown: comma(c.Mounts)}
		}))
}

// LeakedPage is LeakedVolumes as a document.
func LeakedPage(nodes []MountsNode, s Style) (document.Document, error) {
	section, err := sectionOf("", nil, func(w io.Writer) error { return LeakedVolumes(w, nodes, s) })
	return document.Document{Title: "Leaked volumes", Sections: []document.Section{section}}, err
}

// MountsDiffsPage is MountsDiffs as a document.
func MountsDiffsPage(nodes []MountsNode, s Style) (document.Document, error) {
	d := document.Document{Title: "What has become of leaked volumes"}
	for _, n := range nodes {
		section, err := sectionOf(n.Node, nil, func(w io.Writer) error { return MountsDiffs(w, []MountsNode{n}, s) })
		if err != nil {
			return d, err
		}
		d.Sections = append(d.Sections, section)
	}
	return d, nil
}
