package cmd

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const secret = "hunter2hunter2"

// withSecrets runs for as long as the test, with secrets in its command line.
func withSecrets(t *testing.T) int {
	t.Helper()
	c := exec.Command("sh", "-c", "read -r never", "sh", "--password="+secret, "--token", secret, "PGPASSWORD="+secret, "http://u:"+secret+"@h/",
		"Authorization: Bearer "+secret, "mysqldump -p"+secret+" db", "ghp_"+secret+"aB3"+secret, "-----BEGIN PRIVATE KEY-----"+secret)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.Wait()
	})
	return c.Process.Pid
}

// Nothing that --save keeps has a secret of a command line in it, in any section, unless
// it was asked for.
func TestNoSecretIsSaved(t *testing.T) {
	pid := withSecrets(t)
	text := func(show bool) string {
		req := report.Everything()
		req.PIDs, req.IntervalMillis, req.ShowSecrets = []int{pid}, 100, show
		r, err := localReport(t.Context(), "v0.0.0-test", req)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if saved := text(false); strings.Contains(saved, secret) || !strings.Contains(saved, "‹redacted›") {
		at := max(strings.Index(saved, secret), 0)
		t.Errorf("saved: …%s…", saved[max(at-200, 0):min(at+100, len(saved))])
	}
	if !strings.Contains(text(true), secret) {
		t.Error("--show-secrets shows none")
	}
}
