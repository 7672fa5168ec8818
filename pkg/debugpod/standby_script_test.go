package debugpod

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// runStandbyScript runs it on parts of a packed probe.
func runStandbyScript(t *testing.T, shell []string, parts [][]byte, sum string) (stdout, stderr string, err error) {
	t.Helper()
	dir := t.TempDir()
	for i, part := range parts {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("probe.gz.%d", i)), part, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.NewReplacer(packedDir, dir, "probe="+probeDir, "probe="+t.TempDir()).Replace(standbyScript)
	cmd := exec.CommandContext(t.Context(), shell[1], append(append([]string{}, shell[2:]...), "-c", text, appName, "n0nce", sum)...)
	cmd.Env = []string{"PATH=" + shell[0]}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	return out.String(), errOut.String(), err
}

// The shell unpacks the probe and becomes it; of one that is damaged nothing is run.
func TestStandbyScript(t *testing.T) {
	probe := []byte("#!/bin/sh\necho \"standing by: $*\"\n")
	packed, err := gzipped(probe)
	if err != nil {
		t.Fatal(err)
	}
	whole, sum := [][]byte{packed[:10], packed[10:]}, sha256.Sum256(probe)
	good := hex.EncodeToString(sum[:])
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := runStandbyScript(t, shell, whole, good)
			if err != nil || stdout != "standing by: standby n0nce "+report.KeptDir+"\n" {
				t.Errorf("got %q, %q, %v", stdout, stderr, err)
			}
			for what, c := range map[string]struct {
				parts [][]byte
				sum   string
			}{"cut": {whole[:1], good}, "another": {whole, good[2:]}, "disordered": {[][]byte{whole[1], whole[0]}, good}} {
				if stdout, stderr, err := runStandbyScript(t, shell, c.parts, c.sum); err == nil || stdout != "" || !strings.Contains(stderr, "nodedoc: ") {
					t.Errorf("%s: got %q, %q, %v", what, stdout, stderr, err)
				}
			}
		})
	}
}
