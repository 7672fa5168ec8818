package printer

import (
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// Runtime prints what the runtimes have on a node: who is in trouble, what is left
// over. Containers that are well are counted only, unless all are asked for.
func Runtime(w io.Writer, r correlate.NodeRuntime, findings []diagnose.Finding, s Style) error {
	if err := s.printWrapped(w, "", runtimeHead(r, s)); err != nil {
		return err
	}
	for _, section := range []tasksSection{containerSection(r, s), leftoverSection(r)} {
		if err := section.print(w, s); err != nil {
			return err
		}
	}
	if err := vitalsSection(w, r.Vitals, s); err != nil {
		return err
	}
	if err := unreadable(w, "", r.Gaps, s); err != nil {
		return err
	}
	return Findings(w, findings, s)
}

func runtimeHead(r correlate.NodeRuntime, s Style) string {
	parts := make([]string, 0, len(r.Daemons)+1)
	for _, d := range r.Daemons {
		if d.AnswerMillis != nil {
			parts = append(parts, fmt.Sprintf("%s answers in %d ms", d.Name, *d.AnswerMillis))
		} else {
			parts = append(parts, severityPaint(diagnose.Critical, s)(d.Name+" does not answer")+": "+d.Error)
		}
	}
	if len(r.Daemons) == 0 {
		parts = append(parts, "no runtime's socket where they usually are")
	}
	if r.Vitals != nil && r.Vitals.State != nil && r.Vitals.State.Runtime != "" {
		parts = append(parts, "by the kubelet "+r.Vitals.State.Runtime)
	}
	for _, p := range r.Programs {
		parts = append(parts, fmt.Sprintf("%s is %s", p.Name, p.Version))
	}
	count := english.Plural(len(r.Containers), "container", "") + " and sandboxes"
	states := make([]string, 0, 3)
	for _, state := range []struct {
		count int
		name  string
	}{{r.Running, "running"}, {r.Created, "created"}, {r.Stopped, "stopped"}} {
		if state.count > 0 {
			states = append(states, fmt.Sprintf("%d %s", state.count, state.name))
		}
	}
	if len(states) > 0 {
		count += " (" + strings.Join(states, ", ") + ")"
	}
	return fmt.Sprintf("%s: %s; %s, %s", s.bold()(r.Node), strings.Join(parts, ", "), count, english.Plural(r.Shims, "shim", ""))
}

func containerSection(r correlate.NodeRuntime, s Style) tasksSection {
	out := tasksSection{most: 20, what: "containers", columns: []column{{title: "STATE"}, {title: "AGE", right: true, drop: 3}, {title: "ID"}, {title: "OWNER", least: 18},
		{title: "CONTAINER", least: 9}, {title: "PID", right: true, drop: 2}, {title: "SHIM", right: true, drop: 1}, {title: "TROUBLE", least: 16}}}
	for _, c := range r.Containers {
		if len(c.Trouble) == 0 && !s.Wide {
			continue
		}
		age := ""
		if c.AgeSeconds > 0 {
			age = humanSeconds(c.AgeSeconds)
		}
		out.rows = append(out.rows, []string{c.State, age, correlate.ShortID(c.ID), ownerCell(c.Owner), containerCell(c.Owner), pidCell(c.PID), pidCell(c.Shim), strings.Join(c.Trouble, "; ")})
	}
	return out
}

func pidCell(pid int) string {
	if pid == 0 {
		return ""
	}
	return fmt.Sprint(pid)
}

func leftoverSection(r correlate.NodeRuntime) tasksSection {
	out := tasksSection{most: 20, what: "leftovers", columns: []column{{title: "LEFT OVER", least: 12}, {title: "OWNER", least: 18}, {title: "WHAT", least: 20}, {title: "WITH", drop: 1}}}
	for _, l := range r.Leftovers {
		what, with := l.Path, ""
		switch {
		case l.Kind == correlate.LeftContainer:
			what = fmt.Sprintf("%s, its first process %d", l.ContainerID, l.PID)
		case l.PID > 0:
			what = fmt.Sprintf("process %d for %s", l.PID, correlate.ShortID(l.ContainerID))
		case l.Path == "":
			what = correlate.ShortID(l.ContainerID)
		case len(l.Mounts) > 0:
			with = english.Plural(len(l.Mounts), "mount", "")
		case l.Populated:
			with = "processes in it"
		}
		out.rows = append(out.rows, []string{string(l.Kind), ownerCell(l.Owner), what, with})
	}
	return out
}
