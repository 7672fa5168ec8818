package cmd

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func TestRecordErrors(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	plain := save(t, sickNode(), nil)
	recorded := save(t, recordedNode(t), nil)
	for args, want := range map[string]string{
		"record":                                  "which nodes? name them (kubectl get nodes), or choose them by --selector",
		"record n -l a=b":                         "name nodes or choose them by --selector, not both",
		"record -l a==b==c":                       "",
		"record n --stop --for 1h":                "--stop ends recorders: --for, --every and --replace do not go with it",
		"record n --stop --replace":               "--stop ends recorders: --for, --every and --replace do not go with it",
		"record n --for 9s":                       "--for must be between 10s and 168h0m0s, not 9s",
		"record n --for 169h":                     "--for must be between 10s and 168h0m0s, not 169h0m0s",
		"record n --every 999ms":                  "--every must be between 1s and 10m, not 999ms",
		"record n --every 11m":                    "--every must be between 1s and 10m, not 11m0s",
		"record n --for 1m --every 2m":            "--every 2m0s is longer than --for 1m0s",
		"record n --max-parallel 0":               "--max-parallel must be 1 or more, not 0",
		"record n --profile root":                 `--profile is sysadmin or minimal, not "root"`,
		"record n --local":                        "unknown flag: --local",
		"record n":                                "no cluster is configured: set KUBECONFIG, or use --kubeconfig or --server",
		"record --stop":                           "no cluster is configured: set KUBECONFIG, or use --kubeconfig or --server",
		"history":                                 "which node? name one that is recorded (kubectl nodedoc record), or use --from FILE",
		"history a b":                             `unexpected argument "b": history takes one node, and none with --from`,
		"history a --from " + plain:               `unexpected argument "a": history takes one node, and none with --from`,
		"history a --peak cpu":                    `--peak is one of memory, fd, tasks, not "cpu"`,
		"history a --around noon":                 `--around "noon" is no time: use 14:05, 2006-01-02 14:05, RFC 3339, or -2h before the end`,
		"history a --around 2h":                   `--around "2h" is no time: use 14:05, 2006-01-02 14:05, RFC 3339, or -2h before the end`,
		"history a --top -1":                      "--top must be 0 or more, not -1",
		"history a":                               "no cluster is configured: set KUBECONFIG, or use --kubeconfig or --server",
		"history --from " + plain:                 "the report holds no recording: make one with history --save",
		"history --around -9h --from " + recorded: "",
	} {
		_, stderr, code := run(t, strings.Fields(args)...)
		if code != ExitFailed || want != "" && stderr != "error: "+want+"\n" {
			t.Errorf("%s: exit code %d, %q, want %q", args, code, stderr, want)
		}
	}
}

// recordedNode has two samples, of which the second is the peak.
func recordedNode(t *testing.T) *report.NodeReport {
	t.Helper()
	r := sickNode()
	var encoded [][]byte
	for i := range 2 {
		s := report.Sample{At: 1_700_000_000_000 + int64(i)*30_000, Uptime: 90_000 + int64(i)*30_000, Count: 1,
			Owners: []report.SampleOwner{{Cgroup: 1, Memory: uint64(i+1) << 30, FDs: 5, Tasks: 2}}}
		s.Totals[report.TotalAvailable] = int64(4-i) << 30
		encoded = append(encoded, s.Append(nil))
	}
	samples, err := report.PackSamples(encoded)
	if err != nil {
		t.Fatal(err)
	}
	r.Processes.Cgroups = []report.Cgroup{{}, {Entries: []report.CgroupEntry{{Path: `/evil\x1b[2J`}}}}
	r.Processes.List = nil
	r.Recording = &report.Recording{StartMillis: 1_700_000_000_000, NowMillis: 1_700_000_040_000, UptimeMillis: 130_000, ForSeconds: 60, EveryMillis: 30_000,
		MemTotal: 8 << 30, Samples: samples}
	return r
}

func TestHistoryFromAFile(t *testing.T) {
	file := save(t, recordedNode(t), nil)
	stdout, stderr, code := run(t, "history", "--from", file)
	for _, want := range []string{"5 GiB of 8 GiB (62.5 %) used", `+1 GiB by cgroup /evil\x1b[2J`} {
		if code != ExitOK || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, %s%s, want %q", code, stdout, stderr, want)
		}
	}
	stdout, _, code = run(t, "history", "--from", file, "-o", "json", "--peak", "fd")
	var h correlate.NodeHistory
	if err := json.Unmarshal([]byte(stdout), &h); code != ExitOK || err != nil || len(h.Samples) != 2 || len(h.Owners) != 1 || len(h.Owners[0].Points) != 2 || h.Metric != correlate.MetricFD {
		t.Errorf("exit code %d, %v, %s", code, err, stdout)
	}
	if stdout, _, code = run(t, "history", "--from", file, "-o", "name"); code != ExitOK || stdout != "cgroup.nodedoc.io//evil\\x1b[2J\n" {
		t.Errorf("exit code %d, %q", code, stdout)
	}
	again := file + ".again"
	if _, stderr, code := run(t, "history", "--from", file, "--save", again, "--around", "-30s"); code != ExitOK {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if second, _, _ := run(t, "history", "--from", again); !strings.Contains(second, "5 GiB of 8 GiB") {
		t.Errorf("saved again: %s", second)
	}
}

func TestTimeAround(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	end := time.Date(2026, 3, 2, 6, 30, 0, 0, zone)
	for text, want := range map[string]time.Time{
		"06:30":                     end,
		"06:30:01":                  end.Add(time.Second - 24*time.Hour), // the last such before the end
		"22:15":                     time.Date(2026, 3, 1, 22, 15, 0, 0, zone),
		"-2h":                       end.Add(-2 * time.Hour),
		"-90s":                      end.Add(-90 * time.Second),
		"0s":                        end,
		"2026-03-01 22:15":          time.Date(2026, 3, 1, 22, 15, 0, 0, zone),
		"2026-03-01 22:15:30":       time.Date(2026, 3, 1, 22, 15, 30, 0, zone),
		"2026-03-01T22:15":          time.Date(2026, 3, 1, 22, 15, 0, 0, zone),
		"2026-03-01T22:15:00Z":      time.Date(2026, 3, 1, 22, 15, 0, 0, time.UTC),
		"2026-03-01T22:15:00+05:00": time.Date(2026, 3, 1, 17, 15, 0, 0, time.UTC),
		"2026-03-01T22:15Z":         time.Date(2026, 3, 1, 22, 15, 0, 0, time.UTC),
	} {
		if got, err := timeAround(text, end, zone); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %v %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "2h", "25:00", "yesterday", "1700000000"} {
		if got, err := timeAround(text, end, zone); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
