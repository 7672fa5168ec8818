package printer

import (
	"fmt"
	"io"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

const rulesHead = `# Rules

What nodedoc concludes from what it sees. Each rule is a function of facts, with a page: what it means, how it is
computed, from what, what to do, and what may fool it. ` + "`kubectl nodedoc explain RULE`" + ` prints a page with the thresholds in force.

A threshold is changed by ` + "`--threshold NAME=VALUE`" + `, or in a file: that of ` + "`--config`" + `, else of ` + "`$NODEDOC_CONFIG`" + `, else
` + "`kubectl-nodedoc/config.yaml`" + ` in the user's configuration directory (` + "`~/.config`" + ` on Linux). A finding of a rule with a changed
threshold says so. A warning may not be set above its critical finding.

    thresholds:
      fd-node-limit.warning: 70%
      memory-growth.soon: 12h
      memory-host-process.size: 512MiB

This file is made from the rules themselves (` + "`make docs`" + `).

`

// RulesMarkdown writes the pages of rules as one document, as docs/rules.md.
func RulesMarkdown(w io.Writer, rules []diagnose.Rule, limits diagnose.Thresholds) error {
	var b strings.Builder
	if len(rules) > 1 {
		b.WriteString(rulesHead)
		for _, family := range diagnose.Families(rules) {
			fmt.Fprintf(&b, "- **%s**\n", family.Name)
			for _, r := range family.Rules {
				fmt.Fprintf(&b, "  - [%s](#%s): %s\n", r.ID, r.ID, r.Title)
			}
		}
		b.WriteByte('\n')
	}
	for i, r := range rules {
		if i > 0 {
			b.WriteByte('\n')
		}
		markdownRule(&b, r, limits)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func markdownRule(b *strings.Builder, r diagnose.Rule, limits diagnose.Thresholds) {
	fmt.Fprintf(b, "## %s\n\n%s.\n", r.ID, strings.ToUpper(r.Title[:1])+r.Title[1:])
	for _, part := range r.InForce(limits).Parts() {
		fmt.Fprintf(b, "\n**%s**\n\n", part.Title)
		for i, text := range part.Texts {
			switch {
			case part.List:
				b.WriteString("- ")
			case i > 0:
				b.WriteByte('\n')
			}
			b.WriteString(markdownText(text) + "\n")
		}
		if part.Title == diagnose.ComputedTitle && len(r.Thresholds) > 0 {
			b.WriteString("\n| threshold | value | bounds | means |\n| --- | --- | --- | --- |\n")
			for _, of := range r.Thresholds {
				value := of.Unit.Format(limits.In(of))
				if limits.Changed(of) {
					value += ", by default " + of.Unit.Format(of.Default)
				}
				fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", of.Name, value, of.Bounds(), markdownText(of.Means))
			}
		}
	}
}

// markdownText keeps what Markdown would take for its own: paths with * and _, and
// the < of a placeholder.
func markdownText(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "<", "&lt;", "|", `\|`, "[", `\[`, "`", "\\`").Replace(text)
}
