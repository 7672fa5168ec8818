package cmd

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"sigs.k8s.io/yaml"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// fdAnswer is what the tests look at in the machine's formats.
type fdAnswer struct {
	APIVersion, Kind, Node string
	Files                  struct{ Used, Max uint64 }
	Rows                   []struct {
		Descriptors int
		PID         int
		Owner       struct{ Type, Pod, Unit, Workload string }
	}
	Findings []struct{ ID, Severity string }
}

func TestFDFormats(t *testing.T) {
	path := save(t, sickNode(), hubInventory())
	for name, c := range map[string]struct {
		args string
		want string
	}{
		"name":                 {"-o name", "pod/hub-0\nunit.nodedoc.io/docker.service\nunit.nodedoc.io/init.scope\n"},
		"name, top":            {"-o name --top 1", "pod/hub-0\n"},
		"jsonpath":             {"-o jsonpath={.rows[0].owner.pod}", "hub-0"},
		"jsonpath, a number":   {"-o jsonpath={.rows[0].heaviest.pid}", "3663411"},
		"jsonpath, a fraction": {"-o jsonpath={.files.percent}", "92.224"},
		"go-template":          {"-o go-template={{.node}}:{{range.findings}}{{.id}},{{end}}", "node-43:fd-exec-fifos,fd-growth,fd-node-limit,"},
		"go-template, number":  {"-o go-template={{range.rows}}{{.heaviest.pid}},{{end}}", "3663411,767196,1,4000000,"},
		"template as a flag":   {"-o go-template --template {{.kind}}", "FileDescriptorRanking"},
		"jsonpath-as-json":     {"-o jsonpath-as-json={.rows[0].descriptors}", "[\n    4213\n]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := run(t, append([]string{"fd", "--from", path}, strings.Fields(c.args)...)...)
			if !strings.HasPrefix(stdout, c.want) || stderr != "" || code != ExitOK {
				t.Errorf("got %q, %q, exit %d, want %q", stdout, stderr, code, c.want)
			}
		})
	}
}

func TestFDByWorkloadAsNames(t *testing.T) {
	stdout, _, _ := run(t, "fd", "--from", save(t, sickNode(), hubInventory()), "--by", "workload", "-o", "name")
	if !strings.Contains(stdout, "hub\n") || strings.Contains(stdout, "pod.nodedoc.io") {
		t.Errorf("got %q, want StatefulSet hub among it", stdout)
	}
}

// A pod of which nothing is left but a cgroup has no name, only a UID.
func TestNameOfAPodThatNobodyKnows(t *testing.T) {
	r := sickNode()
	r.Containers = nil
	stdout, stderr, _ := run(t, "fd", "--from", save(t, r, &inventory.Inventory{Node: "node-43"}), "-o", "name")
	if !regexp.MustCompile(`(?m)^pod\.nodedoc\.io/[0-9a-f-]{36}$`).MatchString(stdout) {
		t.Errorf("got %q, %q", stdout, stderr)
	}
}

func TestFDDocuments(t *testing.T) {
	path := save(t, sickNode(), hubInventory())
	for format, decode := range map[string]func([]byte, any) error{
		"json":  json.Unmarshal,
		"yaml":  func(b []byte, v any) error { return yaml.Unmarshal(b, v) },
		"kyaml": func(b []byte, v any) error { return yaml.Unmarshal(b, v) },
	} {
		t.Run(format, func(t *testing.T) {
			stdout, stderr, code := run(t, "fd", "--from", path, "-o", format)
			var a fdAnswer
			if err := decode([]byte(stdout), &a); err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprintf("%s %s %s %d/%d %+v %v", a.APIVersion, a.Kind, a.Node, a.Files.Used, a.Files.Max, a.Rows[0], a.Findings)
			want := "nodedoc.io/v1alpha1 FileDescriptorRanking node-43 92224/100000 " +
				"{Descriptors:4213 PID:0 Owner:{Type:Pod Pod:hub-0 Unit: Workload:StatefulSet/hub}} " +
				"[{fd-exec-fifos warning} {fd-growth warning} {fd-node-limit warning}]"
			if got != want || len(a.Rows) != 4 || stderr != "" || code != ExitOK {
				t.Errorf("got %s, %d rows, %q, exit %d\nwant %s", got, len(a.Rows), stderr, code, want)
			}
			noRawControls(t, stdout)
		})
	}
}

// 2^63-1 is what systemd sets fs.file-max to: it must not become a rounded float.
func TestLargeNumbersStayExact(t *testing.T) {
	r := sickNode()
	limit := uint64(1<<63 - 1)
	r.OpenFiles.Max = &limit
	stdout, _, _ := run(t, "fd", "--from", save(t, r, nil), "-o", "json")
	if !strings.Contains(stdout, `"max": 9223372036854775807`) {
		t.Errorf("fs.file-max is not 9223372036854775807 in %s", stdout[:min(len(stdout), 400)])
	}
}

func TestMachineFormatsShowAllRowsUnlessTold(t *testing.T) {
	path := save(t, sickNode(), nil)
	for args, want := range map[string]int{"": 4, "--top 2": 2, "--top 0": 4, "--top 99": 4, "--by process": 5, "--by unit": 4} {
		stdout, _, _ := run(t, append([]string{"fd", "--from", path, "-o", "json"}, strings.Fields(args)...)...)
		var a fdAnswer
		if err := json.Unmarshal([]byte(stdout), &a); err != nil || len(a.Rows) != want {
			t.Errorf("%q: %d rows, %v, want %d", args, len(a.Rows), err, want)
		}
	}
}

// noRawControls: nothing that a terminal or a reader acts upon, but line ends.
func noRawControls(t *testing.T, s string) {
	t.Helper()
	for i, r := range s {
		if r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			t.Fatalf("raw %U at %d: %q", r, i, s[max(0, i-20):min(len(s), i+20)])
		}
	}
}

func TestTables(t *testing.T) {
	path := save(t, sickNode(), hubInventory())
	for name, c := range map[string]struct {
		args  string
		wants []string
	}{
		"by pod":       {"fd", []string{"92,224 of 100,000 open files (92.2 %), +4.0/s over 3.0 s, full in 32m at this rate", "prod/hub-0", "docker.service", "WARNING fd-node-limit"}},
		"wide":         {"fd -o wide", []string{"3663411 /usr/bin/java -x"}},
		"top":          {"fd --top 1", []string{"… and 3 more with 2,897 descriptors (--top 0 shows all)"}},
		"by unit":      {"fd --by unit", []string{"cgroup kubepods", "docker.service"}},
		"by container": {"fd --by container", []string{"agent"}},
		"whois":        {"whois-pid 3663411 767196", []string{"systemd(1) ─ copy_plugins.sh(2711896) ─ java(3663411)\n", "  pod        prod/hub-0\n", "  unit       docker.service, of the host\n"}},
		"whois, wide":  {"whois 3663411 -o wide", []string{"  workload   StatefulSet/hub\n", "  pid inside 7\n"}},
		"of a thread":  {"whois-pid 3663412", []string{"java(3663411) ─ {\"GC Thread#0\"}(3663412)\n"}},
		"hostile":      {"whois-pid 4000000", []string{`evil\x1b]0;owned\x07\u202e\u009b31m\x0aroot(4000000)`}},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := run(t, append(strings.Fields(c.args), "--from", path)...)
			for _, want := range c.wants {
				if !strings.Contains(stdout, want) {
					t.Errorf("no %q in\n%s", want, stdout)
				}
			}
			if stderr != "" || code != ExitOK {
				t.Errorf("%q, exit %d", stderr, code)
			}
			noRawControls(t, stdout) // and so no colour in a pipe
		})
	}
}

func TestReportWithoutProcesses(t *testing.T) {
	r := sickNode()
	r.Processes = nil
	r.Probe.Failed = append(r.Probe.Failed, r.Node.Unreadable...)
	for _, command := range []string{"fd", "whois-pid"} {
		args := []string{command, "--from", save(t, r, nil)}
		if command == "whois-pid" {
			args = append(args, "1")
		}
		stdout, stderr, code := run(t, args...)
		if stdout != "" || stderr != "error: the report has no processes\n" || code != ExitFailed {
			t.Errorf("%s: %q, %q, exit %d", command, stdout, stderr, code)
		}
	}
}
