package cmd

import (
	"encoding/json"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

func TestFDOfOneProcess(t *testing.T) {
	path := save(t, sickNode(), hubInventory())
	for name, c := range map[string]struct {
		args string
		want []string
	}{
		"table":       {"--pid 3663411", []string{"java(3663411)\n", "  pod        prod/hub-0\n", "  fds        4,201, +3.0/s over 3.0 s\n", "4,180  FIFO  /run/docker/containerd/…-std*", "  exec FIFOs 4,180 of 2,090 sessions", "WARNING fd-exec-fifos"}},
		"by a thread": {"--pid 3663412", []string{"java(3663411) ─ {\"GC Thread#0\"}(3663412)\n", "4,201"}},
		"of the host": {"--pid 767196 -o wide", []string{"docker.service, of the host", "2,774, +0.7/s"}},
		"name":        {"--pid 3663411 -o name", []string{"pod/hub-0\n"}},
		"jsonpath":    {"--pid 3663411 -o jsonpath={.kind}-{.descriptors}-{.process.owner.pod}", []string{"ProcessFileDescriptors-4201-hub-0"}},
		"yaml":        {"--pid 3663411 -o yaml", []string{"\nkind: ProcessFileDescriptors\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := run(t, append([]string{"fd", "--from", path}, strings.Fields(c.args)...)...)
			for _, want := range c.want {
				if !strings.Contains(stdout, want) {
					t.Errorf("no %q in\n%s", want, stdout)
				}
			}
			if stderr != "" || code != ExitOK {
				t.Errorf("%q, exit %d", stderr, code)
			}
		})
	}
}

// The host's daemon is not told of what a pod does.
func TestFDOfOneProcessHasItsOwnFindings(t *testing.T) {
	stdout, _, _ := run(t, "fd", "--from", save(t, sickNode(), hubInventory()), "--pid", "767196")
	if strings.Contains(stdout, "fd-exec-fifos") || !strings.Contains(stdout, "fd-node-limit") {
		t.Errorf("got\n%s", stdout)
	}
}

func TestFDOfAMissingProcess(t *testing.T) {
	r := sickNode()
	r.Processes.Missing = []int{4711}
	path := save(t, r, hubInventory())
	for pid, want := range map[string]string{
		"4711": "error: process 4711 does not exist on node-43, or has ended\n",
		"4712": "error: process 4712 is not in the report of node-43, which was made without asking for it: it may be a thread, or the kernel's\n",
	} {
		stdout, stderr, code := run(t, "fd", "--from", path, "--pid", pid)
		if stdout != "" || stderr != want || code != ExitFailed {
			t.Errorf("%q, %q, exit %d", stdout, stderr, code)
		}
	}
}

func TestFDFilters(t *testing.T) {
	inv := hubInventory()
	inv.Pods[0].Labels = map[string]string{"app": "hub"}
	path := save(t, sickNode(), inv)
	for args, want := range map[string]string{
		"-n prod":               "1 of 4 owners matches -n prod, with 4,213 descriptors\n",
		"-l app=hub":            "1 of 4 owners matches -l app=hub, with 4,213 descriptors\n",
		"-l app!=hub":           "0 of 4 owners match -l app!=hub, with 0 descriptors\n",
		"-n nope --by process":  "0 of 5 owners match -n nope, with 0 descriptors\n",
		"-n prod --sort growth": "1 of 4 owners matches -n prod",
		"-n prod --by kind":     "1 of 4 owners matches -n prod",
		"--by process --top 0":  "92,224 of 100,000 open files",
		"-l app=hub -o jsonpath={.filter.matched}/{.filter.of},{.descriptors}": "1/4,7110",
	} {
		stdout, stderr, code := run(t, append([]string{"fd", "--from", path}, strings.Fields(args)...)...)
		if !strings.Contains(stdout, want) || stderr != "" || code != ExitOK {
			t.Errorf("%s: got %q, %q, exit %d, want %q", args, stdout, stderr, code, want)
		}
	}
}

// What a report cannot tell is refused: no match would be a lie.
func TestFDRefusesWhatAReportCannotTell(t *testing.T) {
	refused := hubInventory()
	refused.PodsError = "pods is forbidden"
	for want, args := range map[string][]string{
		"labels are the API server's, and the report was saved without it":                         {"--from", save(t, sickNode(), nil), "-l", "a=b"},
		"would not list the node's pods, so that --selector cannot be answered: pods is forbidden": {"--from", save(t, sickNode(), refused), "-l", "a=b"},
		"the report was made without asking for users: make one with fd --by user --save":          {"--from", save(t, sickNode(), nil), "--by", "user"},
		"the report was made without asking for file types: make one with fd --file-types --save":  {"--from", save(t, sickNode(), nil), "--file-types"},
	} {
		stdout, stderr, code := run(t, append([]string{"fd"}, args...)...)
		if stdout != "" || !strings.Contains(stderr, want) || code != ExitFailed {
			t.Errorf("got %q, %q, exit %d, want %q", stdout, stderr, code, want)
		}
	}
}

func TestFDByUserAsNames(t *testing.T) {
	r := sickNode()
	r.Processes.List[3].UID = new(999)
	r.Processes.Users = []report.User{{UID: 0, Name: "root"}}
	stdout, stderr, code := run(t, "fd", "--from", save(t, r, nil), "--by", "user", "-o", "name")
	if stdout != "user.nodedoc.io/999\nunknown.nodedoc.io/unknown\n" || code != ExitOK {
		t.Errorf("got %q, %q, exit %d", stdout, stderr, code)
	}
}

// Samples into a pipe: a block each, an object each.
func TestSamplesInEveryFormat(t *testing.T) {
	r, inv, err := saved.Read(save(t, sickNode(), hubInventory()), nil)
	if err != nil {
		t.Fatal(err)
	}
	n := correlate.Join(r, inv)
	n.Report.Node.Now = 1_700_086_400
	for format, check := range map[string]func(string) bool{
		"table": func(s string) bool {
			return strings.HasPrefix(s, "2023-11-15T22:13:20Z, sample 1 of 2\nnode-43: ") && strings.Contains(s, "\n\n2023-11-15T22:13:20Z, sample 2 of 2\nnode-43: ")
		},
		"json": func(s string) bool {
			d := json.NewDecoder(strings.NewReader(s))
			var a, b, c map[string]any
			return d.Decode(&a) == nil && d.Decode(&b) == nil && d.Decode(&c) != nil && a["time"] == "2023-11-15T22:13:20Z"
		},
		"yaml": func(s string) bool {
			parts := strings.Split(s, "\n---\n")
			var v map[string]any
			return len(parts) == 2 && yaml.Unmarshal([]byte(parts[1]), &v) == nil && v["kind"] == "FileDescriptorRanking"
		},
		"jsonpath={.descriptors}": func(s string) bool { return s == "7110\n7110\n" },
		"name":                    func(s string) bool { return strings.Count(s, "pod/hub-0\n") == 2 },
	} {
		t.Run(format, func(t *testing.T) {
			var out strings.Builder
			e := env{version: "v0", streams: testStreams(&strings.Builder{})}
			e.streams.Out = &out
			o := &fdOptions{ranked: ranked{env: e, source: newSourceFlags(), output: newOutputFlags(), rankingFlags: rankingFlags{by: "pod", top: 1}}, repeat: repeatFlags{samples: 2, given: true}}
			o.kube = testKube()
			o.output.format = format
			for i := 1; i <= 2; i++ {
				if err := o.watching().appendSample(n, i); err != nil {
					t.Fatal(err)
				}
			}
			if !check(out.String()) {
				t.Errorf("got\n%s", out.String())
			}
		})
	}
}
