package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
)

// For a person and for a program: one that runs, one that does not, one that keeps
// nothing.
func TestStandbyStatus(t *testing.T) {
	all := []debugpod.Standby{{Node: "n1", Namespace: "kube-system", Pod: "standby-1", Version: "v1", Running: true}, {Node: "n2", Namespace: "kube-system", Pod: "standby-2", Version: "v0\x1b", Why: "Pending"}}
	kept := []visit[debugpod.Kept]{{value: debugpod.Kept{Age: 90 * time.Second}}, {err: errors.New("node \"n2\" has no report of a standby")}}
	print := func(format string) string {
		var out bytes.Buffer
		o := &standbyStatus{env: env{version: "v1", streams: genericiooptions.IOStreams{Out: &out}}, output: newOutputFlags()}
		o.output.format = format
		if err := errors.Join(o.validate(), o.print(all, kept)); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if got := print("table"); !strings.Contains(got, "1m30s old") || !strings.Contains(got, "Pending") || strings.Contains(got, "\x1b") {
		t.Errorf("got %s", got)
	}
	var doc standbysDocument
	if err := json.Unmarshal([]byte(print("json")), &doc); err != nil || len(doc.Standbys) != 2 {
		t.Fatalf("%v, got %+v", err, doc)
	}
	if a, b := doc.Standbys[0], doc.Standbys[1]; !a.Running || a.KeptAgeSeconds == nil || *a.KeptAgeSeconds != 90 || b.Running || b.Reason != "Pending" || b.KeptAgeSeconds != nil || b.KeptError == "" || strings.Contains(b.Version, "\x1b") {
		t.Errorf("got %+v", doc)
	}
	if got := print("name"); got != "pod/standby-1\npod/standby-2\n" {
		t.Errorf("got %q", got)
	}
}
