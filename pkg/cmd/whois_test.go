package cmd

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"
)

// whoisAnswer is what the tests look at in the machine's formats.
type whoisAnswer struct {
	Kind, Node string
	Missing    []int
	Processes  []struct {
		Asked, PID, PIDInContainer int
		Thread                     *struct{ Comm string }
		Owner                      struct{ Type, Pod, Unit string }
		Chain                      []struct{ PID int }
	}
}

func TestWhoisDocuments(t *testing.T) {
	path := save(t, sickNode(), hubInventory())
	for format, decode := range map[string]func([]byte, any) error{
		"json": json.Unmarshal,
		"yaml": func(b []byte, v any) error { return yaml.Unmarshal(b, v) },
	} {
		t.Run(format, func(t *testing.T) {
			stdout, stderr, code := run(t, "whois-pid", "--from", path, "3663412", "767196", "4000000", "-o", format)
			var a whoisAnswer
			if err := decode([]byte(stdout), &a); err != nil {
				t.Fatal(err)
			}
			if a.Kind != "ProcessIdentities" || a.Node != "node-43" || len(a.Processes) != 3 || code != ExitOK || stderr != "" {
				t.Fatalf("got %+v, exit %d, %q", a, code, stderr)
			}
			if p := a.Processes[0]; p.Asked != 3663412 || p.PID != 3663411 || p.Thread == nil || p.Thread.Comm != "GC Thread#0" || p.PIDInContainer != 7 || p.Owner.Pod != "hub-0" || len(p.Chain) != 3 {
				t.Errorf("got %+v", p)
			}
			noRawControls(t, stdout)
		})
	}
}

func TestWhoisFormats(t *testing.T) {
	path := save(t, sickNode(), hubInventory())
	for format, want := range map[string]string{
		"name":                           "pod/hub-0\nunit.nodedoc.io/docker.service\n",
		"jsonpath={.processes[*].pid}":   "3663411 767196",
		"go-template={{len .processes}}": "2",
		"go-template={{(index .processes 0).owner.workload}}": "StatefulSet/hub",
	} {
		t.Run(format, func(t *testing.T) {
			stdout, stderr, code := run(t, "whois-pid", "--from", path, "3663411", "767196", "-o", format)
			if stdout != want || stderr != "" || code != ExitOK {
				t.Errorf("got %q, %q, exit %d, want %q", stdout, stderr, code, want)
			}
		})
	}
}

// A process that is gone is exit code 1, and the others are still answered.
func TestMissingProcess(t *testing.T) {
	r := sickNode()
	r.Processes.Missing = []int{9, 10}
	path := save(t, r, hubInventory())
	for format, want := range map[string]string{"table": "prod/hub-0", "json": `"missing": [`, "name": "pod/hub-0\n"} {
		t.Run(format, func(t *testing.T) {
			stdout, stderr, code := run(t, "whois-pid", "--from", path, "9", "3663411", "10", "-o", format)
			wantErr := "error: process 9 does not exist on node-43, or has ended\nerror: process 10 does not exist on node-43, or has ended\n"
			if code != ExitFailed || stderr != wantErr || !strings.Contains(stdout, want) {
				t.Errorf("got %q, %q, exit %d", stdout, stderr, code)
			}
		})
	}
}

// A report lists kernel threads, and threads, only where it was made for them.
func TestWhatAReportWasNotMadeForIsNotDenied(t *testing.T) {
	_, stderr, code := run(t, "whois-pid", "--from", save(t, sickNode(), nil), "77")
	if strings.Contains(stderr, "does not exist") || code != ExitFailed {
		t.Errorf("got %q, exit %d: the report cannot know", stderr, code)
	}
}

func TestFromStdin(t *testing.T) {
	file, err := os.ReadFile(save(t, sickNode(), hubInventory()))
	if err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	code := Run([]string{"whois-pid", "--from", "-", "3663411", "-o", "name"}, "v0", genericiooptions.IOStreams{In: bytes.NewReader(file), Out: &out, ErrOut: &errOut})
	if out.String() != "pod/hub-0\n" || code != ExitOK || errOut.Len() > 0 {
		t.Errorf("got %q, %q, exit %d", &out, &errOut, code)
	}
}
