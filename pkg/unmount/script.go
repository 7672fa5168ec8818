// Package unmount writes the shell script that unmounts what is leaked on a node.
// Nothing of nodedoc runs it: a person reads it first.
package unmount

import (
	"bufio"
	_ "embed" // head.sh
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Plan is what a script is made from.
type Plan struct {
	Node string
	// Is is the node at the time of its report: the script runs on no other, and
	// not after it has been started anew, when mount ids mean other mounts.
	Is report.Node
	// Namespace is the inode of the mount namespace, 0 if unknown, PID a process in
	// it: the node's first, or the kubelet where it has one of its own.
	Namespace uint64
	PID       int
	// Table are all mounts of that namespace, in the order in which they were mounted.
	Table   []report.Mount
	Volumes []correlate.Volume
	// Again is the command that says what is left.
	Again   string
	Version string
}

// maxAge is how long a script runs after its report, in seconds: ids of mounts and numbers
// of devices are given again.
const maxAge = 3600

//go:embed head.sh
var head string

// Script writes a POSIX shell script that unmounts the leaked mounts of a plan:
// copies first, staging mounts last, and each after what is mounted upon it.
func Script(w io.Writer, p Plan) error {
	if p.Is.BootID == "" || p.Is.Uptime <= 0 {
		return errors.New("the report has no boot id or uptime, by which a script knows its node: no script is written")
	}
	mounts := order(p.Volumes, p.Table)
	b := bufio.NewWriter(w)
	opening(b, p, len(mounts))
	fmt.Fprintln(b, head)
	namespace := ""
	if p.Namespace != 0 {
		namespace = fmt.Sprint(p.Namespace)
	}
	fmt.Fprintf(b, "again=%s\n", quote(p.Again))
	fmt.Fprintf(b, "this_node %s %s %s %d %s\n\n", quote(report.Unescape(p.Is.BootID)), quote(p.Node), quote(namespace), int64(p.Is.Uptime)+maxAge, quote(p.namespace()+": run it there by "+p.enter()))
	apart := map[int]bool{}
	for _, m := range mounts {
		if on := m.apart; on != nil && !apart[on.ID] {
			apart[on.ID] = true
			on.write(b, "apart", on.title()+"; first out of its peer group: what is in use elsewhere would be unmounted with what is on it")
		}
		if m.left {
			comment(b, m.title()+"; left: its umount would take along what is mounted at "+m.Point+" in a peer group, and is in use")
			continue
		}
		m.write(b, "m", m.title())
	}
	fmt.Fprintln(b, "batch")
	holders(b, p.Volumes)
	fmt.Fprintln(b, "finish 0")
	return b.Flush()
}

// enter is how to run it from within another namespace, in which the script lies.
func (p Plan) enter() string { return fmt.Sprintf("nsenter -t %d -m sh <SCRIPT", max(p.PID, 1)) }

func (p Plan) namespace() string {
	if p.PID > 1 {
		return "the kubelet's own mount namespace"
	}
	return "the node's own mount namespace"
}

func opening(b *bufio.Writer, p Plan, mounts int) {
	made := "at a time unknown"
	if p.Is.Now > 0 {
		made = "at " + time.Unix(p.Is.Now, 0).UTC().Format(time.RFC3339)
	}
	fmt.Fprintln(b, "#!/bin/sh")
	what := english.Plural(mounts, "mount", "")
	whole, parts := kinds(p.Volumes)
	if whole > 0 {
		what += " of " + english.Plural(whole, "volume", "")
	}
	comment(b, fmt.Sprintf("Unmounts %s that nobody needs any more on node %s, by what was there %s.", what, p.Node, made))
	if parts > 0 {
		comment(b, "Of "+english.Plural(parts, "volume", "")+" more, which may be in use, leaked mounts go and the others stay.")
	}
	comment(b, "Written by kubectl nodedoc "+p.Version+", which does not run it: read it, then run it as root on the node, in")
	comment(b, p.namespace()+" (from within another: "+p.enter()+"). It refuses any other node.")
	comment(b, "")
	comment(b, "Each mount is unmounted only if it is still the same one: id, parent, device, root and place. What is busy")
	comment(b, "stays and is counted. umount -l would only hide it: the device and its kernel threads stay until the last user")
	comment(b, "has gone. The last lines name who has these mounts in a namespace of its own: restart that pod.")
}

// kinds counts the volumes that go as a whole, and those that stay without some of
// their mounts. A container's root directory is none.
func kinds(volumes []correlate.Volume) (whole, parts int) {
	for i := range volumes {
		switch v := &volumes[i]; {
		case v.Leaked == 0 || v.Container != nil:
		case v.State == correlate.VolumeLeaked:
			whole++
		default:
			parts++
		}
	}
	return whole, parts
}

// comment writes text that may be anybody's: escaped, it has no end of line in it.
func comment(b *bufio.Writer, text string) {
	fmt.Fprintln(b, strings.TrimRight("# "+report.Clean(text), " "))
}

// write writes one mount, what is to be done with it, and why.
func (m mount) write(b *bufio.Writer, do, why string) {
	comment(b, why)
	root, point := report.Unescape(m.Root), report.Unescape(m.Point)
	if root == "" {
		root = "/"
	}
	args := []string{fmt.Sprint(m.ID), fmt.Sprint(m.Parent), quote(m.Number), quote(mangle(root)), quote(mangle(point)), quote(m.Type)}
	if mangle(point) != point {
		// A substitution drops the line ends at its end: the point keeps them.
		fmt.Fprintf(b, "p=%s\n", quote(point+"."))
		args = append(args, `"${p%.}"`)
	}
	fmt.Fprintf(b, "%s %s\n", do, strings.Join(args, " "))
}

// title is what a reviewer needs to know of a mount.
func (m mount) title() string {
	what := "mount"
	switch {
	case m.Copy != nil:
		what = "copy below the root of " + m.Copy.Name()
		if m.Copy.Container != "" {
			what += ", container " + m.Copy.Container
		}
	case m.Staging:
		what = "staging mount"
	case m.Pod != nil:
		what = "mount of " + m.Pod.Name()
	}
	facts := []string{m.volume.Driver, m.volume.Source}
	if d := m.volume.Device; d != nil {
		facts = append(facts, d.Number)
	}
	facts = strings.Fields(strings.Join(facts, " "))
	text := m.volume.Name
	if len(facts) > 0 {
		text += " (" + strings.Join(facts, ", ") + ")"
	}
	why := make([]string, 0, len(m.Why))
	for _, r := range m.Why {
		why = append(why, string(r))
	}
	return text + ", " + what + ": " + strings.Join(why, ", ")
}
