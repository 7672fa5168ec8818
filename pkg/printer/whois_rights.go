package printer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// rightsLines say what a process may do, and what holds it back.
func rightsLines(i correlate.Identity) [][2]string {
	waits := [2]string{"listening", strings.Join(i.Listening, ", ")}
	r := i.Rights
	if r == nil {
		return [][2]string{waits}
	}
	confined := r.Seccomp
	if confined != "" {
		confined = "seccomp " + confined
	}
	if r.NoNewPrivs != nil {
		confined += ", no new privileges: " + map[bool]string{true: "yes", false: "no"}[*r.NoNewPrivs]
	}
	if r.Label != "" {
		confined += ", label " + r.Label
	}
	return [][2]string{waits,
		{"effective", capabilityText(r.Effective)}, {"permitted", capabilitiesBeside(r.Permitted, r.Effective)}, {"bounding", capabilitiesBeside(r.Bounding, r.Effective)},
		{"confined", strings.TrimPrefix(confined, ", ")}, {"shares", sharedText(r)},
		{"user map", mapText(r.UIDMap)}, {"group map", mapText(r.GIDMap)},
		{"oom", oomText(r)}, {"limits", limitsText(r.Limits)}}
}

func capabilityText(names []string) string {
	if names != nil && len(names) == 0 {
		return "no capabilities"
	}
	return strings.Join(names, " ")
}

// capabilitiesBeside does not repeat 40 names.
func capabilitiesBeside(names, effective []string) string {
	if len(names) > 1 && slices.Equal(names, effective) {
		return "the same"
	}
	return capabilityText(names)
}

func sharedText(r *correlate.Rights) string {
	switch {
	case len(r.HostNamespaces)+len(r.OwnNamespaces) == 0:
		return ""
	case len(r.HostNamespaces) == 0:
		return "no namespace with the host"
	case len(r.OwnNamespaces) == 0:
		return "all namespaces with the host"
	}
	return "the host's " + strings.Join(r.HostNamespaces, ", ") + "; its own: " + strings.Join(r.OwnNamespaces, ", ")
}

// mapText is "" where ids are the host's own.
func mapText(maps []report.IDMap) string {
	if len(maps) == 0 || len(maps) == 1 && maps[0].Inside == maps[0].Outside {
		return ""
	}
	const shown = 4
	var parts []string
	for _, m := range maps[:min(len(maps), shown)] {
		parts = append(parts, fmt.Sprintf("%d inside is %d outside (%d ids)", m.Inside, m.Outside, m.Length))
	}
	if more := len(maps) - shown; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}

func oomText(r *correlate.Rights) string {
	var parts []string
	if r.OOMScore != nil {
		parts = append(parts, fmt.Sprintf("score %d", *r.OOMScore))
	}
	if r.OOMScoreAdj != nil {
		parts = append(parts, fmt.Sprintf("adjusted by %d", *r.OOMScoreAdj))
	}
	return strings.Join(parts, ", ")
}

func limitsText(limits []report.Limit) string {
	parts := make([]string, 0, len(limits))
	for _, l := range limits {
		parts = append(parts, fmt.Sprintf("%s %s", strings.TrimPrefix(l.Name, "Max "), softAndHard(l)))
	}
	return strings.Join(parts, ", ")
}

// softAndHard are one number where they are the same.
func softAndHard(l report.Limit) string {
	if soft, hard := limitText(l.Soft), limitText(l.Hard); soft != hard {
		return soft + "/" + hard
	}
	return limitText(l.Soft)
}
