// Package nodescript writes the shell script that makes a node's report where no
// pod can be started: it carries the probe, and a person takes it there.
package nodescript

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed" // body.sh
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

//go:embed body.sh
var body string

// Probe is a probe's ELF binary for an architecture, as Kubernetes names it.
type Probe struct {
	Arch   string
	Binary []byte
}

// Lines of base64 are of 76 characters, since openssl takes no longer ones. So many
// go to one printf: where it is no builtin of the shell, the kernel refuses an
// argument of 128 KiB (MAX_ARG_STRLEN, execve(2)).
const lineBytes, linesAtOnce = 76, 1200

// Write writes a script for sh as POSIX has it. It runs the probe that fits the
// machine with the request, and prints the report. All of it is functions but the
// last line: one that was cut short does nothing.
func Write(w io.Writer, node, version string, probes []Probe, req report.Request) error {
	request, err := json.Marshal(req)
	if err != nil {
		return fmt.Errorf("failed to write the request: %w", err)
	}
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, `#!/bin/sh
# Made by kubectl-nodedoc %s%s. Makes the report of the node that it runs on, where no
# pod can be started. Nothing is installed, and nothing is left behind:
#   ssh NODE 'sudo sh -s' < SCRIPT > REPORT
#   kubectl nodedoc fd --from REPORT      (and any other command)

request='%s'

`, version, forNode(node), strings.ReplaceAll(string(request), "'", `\u0027`))
	fmt.Fprint(b, body)
	fmt.Fprint(b, "\n# probe_of prints the probe for a machine as uname(1) names it, packed.\nprobe_of() {\n  case $1 in\n")
	for _, p := range probes {
		packed, err := pack(p.Binary)
		if err != nil {
			return fmt.Errorf("failed to pack the probe for %s: %w", p.Arch, err)
		}
		fmt.Fprintf(b, "  %s)\n", machines(p.Arch))
		for some := range slices.Chunk(packed, linesAtOnce) {
			fmt.Fprintf(b, "    printf '%%s\\n' '%s'\n", strings.Join(some, "\n"))
		}
		fmt.Fprint(b, "    ;;\n")
	}
	fmt.Fprint(b, "  *) return 1 ;;\n  esac\n}\n\nmain\n")
	return b.Flush()
}

func forNode(node string) string {
	if node == "" {
		return ""
	}
	return " for node " + node
}

// machines are what uname -m says on an architecture.
func machines(arch string) string {
	switch arch {
	case "amd64":
		return "x86_64 | amd64"
	case "arm64":
		return "aarch64 | arm64"
	}
	return arch
}

// pack compresses with what every node can undo, into lines of base64.
func pack(binary []byte) ([]string, error) {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(binary); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	text := base64.StdEncoding.EncodeToString(packed.Bytes())
	lines := make([]string, 0, len(text)/lineBytes+1)
	for len(text) > 0 {
		n := min(lineBytes, len(text))
		lines, text = append(lines, text[:n]), text[n:]
	}
	return lines, nil
}
