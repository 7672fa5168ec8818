package cmd

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

var update = flag.Bool("update", false, "write docs/commands.md: make docs")

const commandDocs = "../../docs/commands.md"

// docs/commands.md is what the commands say of themselves.
func TestCommandDocs(t *testing.T) {
	t.Setenv("HOME", "/home/you") // a default names it
	t.Setenv("KUBECACHEDIR", "")
	streams, _, _, _ := genericiooptions.NewTestIOStreams()
	root := NewRoot("v0.0.0-test", streams)
	root.DisableAutoGenTag = true
	var made bytes.Buffer
	made.WriteString("# Commands\n\nWritten by `make docs` from the commands themselves. kubectl's own flags, which every command takes, stand [below](#kubectl-nodedoc).\n\n")
	writeCommand(t, &made, root)
	if *update {
		if err := os.WriteFile(commandDocs, made.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if there, err := os.ReadFile(commandDocs); err != nil || !bytes.Equal(there, made.Bytes()) {
		t.Errorf("docs/commands.md is stale (%v): run `make docs`", err)
	}
}

// writeCommand writes a command and those below it, with the flags that all have
// once: the root comes last.
func writeCommand(t *testing.T, out *bytes.Buffer, c *cobra.Command) {
	t.Helper()
	for _, below := range c.Commands() {
		if below.IsAvailableCommand() && below.Name() != "help" && below.Name() != "completion" {
			writeCommand(t, out, below)
		}
	}
	var page bytes.Buffer
	anchor := func(file string) string { return "#" + strings.ReplaceAll(strings.TrimSuffix(file, ".md"), "_", "-") }
	if err := doc.GenMarkdownCustom(c, &page, anchor); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	if from, to := strings.Index(text, "### Options inherited"), strings.Index(text, "### SEE ALSO"); from >= 0 && to > from {
		text = text[:from] + text[to:]
	}
	if to := strings.Index(text, "### SEE ALSO"); to >= 0 && !c.HasAvailableSubCommands() {
		text = text[:to]
	}
	out.WriteString(strings.TrimRight(text, "\n") + "\n\n")
}
