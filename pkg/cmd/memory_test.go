package cmd

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// fullNode has a host process with most of its memory, next to prod/hub-0.
func fullNode() *report.NodeReport {
	const gib = uint64(1 << 30)
	r := sickNode()
	r.Processes.FDMethod = ""
	for i := range r.Processes.List {
		p := &r.Processes.List[i]
		p.FDs, p.UID = nil, nil
		p.RSSBytes = int64(i) * int64(gib)
		p.Memory = &report.ProcessMemory{RSSBefore: new(uint64(p.RSSBytes)), Anon: new(uint64(p.RSSBytes)), Shmem: new(uint64(0))}
	}
	cgroup := func(path string, anon uint64) report.MemoryCgroup {
		return report.MemoryCgroup{Path: path, Usage: &anon, UsageBefore: &anon, Anon: &anon, AnonBefore: &anon, File: new(uint64(0)), Shmem: new(uint64(0)), InactiveFile: new(uint64(0))}
	}
	r.Memory = &report.Memory{CgroupVersion: 1, Info: report.MemInfo{Total: new(16 * gib), Free: new(gib), Available: new(gib), AnonPages: new(14 * gib), Cached: new(gib)},
		Samples: []report.MemorySample{{Available: new(gib)}, {AtMillis: 3000, Available: new(gib)}},
		Cgroups: []report.MemoryCgroup{cgroup("/", 14*gib), cgroup("/system.slice/docker.service", 9*gib), cgroup("/kubepods/burstable/pod"+podUID+"/"+containerID, 5*gib)}}
	return r
}

func TestMemoryFormats(t *testing.T) {
	path := save(t, fullNode(), hubInventory())
	for name, c := range map[string]struct{ args, want string }{
		"table":            {"", "node-43: 1 GiB of 16 GiB available (6.2 %); the kubelet counts 2 GiB available, "},
		"jsonpath":         {"-o jsonpath={.rows[0].owner.unit}", "docker.service"},
		"jsonpath, number": {"-o jsonpath={.rows[0].workingSet}", "9663676416"},
		"go-template":      {"-o go-template={{range.findings}}{{.id}},{{end}}", "memory-host-process,"},
		"name, top":        {"-o name --top 2", "unit.nodedoc.io/docker.service\npod/hub-0\n"},
		"filtered":         {"-n nope -o jsonpath={.rows}{.processes}{.findings}", "[][][]"},
		"by workload":      {"--by workload -o jsonpath={.rows[1].owner.workload}", "StatefulSet/hub"},
		"by process":       {"--by process -o jsonpath={.rows[0].pid}", "4000000"},
		"by growth":        {"--sort growth -o jsonpath={.rows[0].perSecond}", "0"},
		"by a label":       {"-l app=nothing -o jsonpath={.filter.matched}", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := run(t, append([]string{"memory", "--from", path}, strings.Fields(c.args)...)...)
			if !strings.HasPrefix(stdout, c.want) || stderr != "" || code != ExitOK {
				t.Errorf("got %q, %q, exit %d, want %q", stdout, stderr, code, c.want)
			}
		})
	}
}

func TestMemoryDocument(t *testing.T) {
	stdout, _, _ := run(t, "memory", "--from", save(t, fullNode(), hubInventory()), "-o", "json")
	var a struct {
		APIVersion, Kind, Node                            string
		Differences, Processes, OOMKills, Evictions, Rest []any
		Accounted                                         uint64
	}
	if err := json.Unmarshal([]byte(stdout), &a); err != nil || a.Kind != "NodeMemory" || a.APIVersion != report.APIVersion || a.Node != "node-43" ||
		a.Differences == nil || len(a.Processes) == 0 || a.OOMKills == nil || a.Evictions == nil || len(a.Rest) == 0 || a.Accounted == 0 {
		t.Errorf("%v, %+v in %s", err, a, stdout)
	}
}

// What runs on a node chooses its names; none of them may reach a terminal as they are.
func TestMemoryIsSafeToRead(t *testing.T) {
	for _, format := range []string{"table", "wide", "yaml", "json"} {
		stdout, _, _ := run(t, "memory", "--from", save(t, fullNode(), nil), "-o", format)
		for _, r := range stdout {
			if r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf) {
				t.Errorf("%s: raw %U", format, r)
			}
		}
	}
}

// A report answers what it was made for; an empty answer would lie.
func TestMemoryOfAnotherReport(t *testing.T) {
	failed, bare := fullNode(), fullNode()
	failed.Memory, failed.Probe.Failed = nil, []report.Unreadable{{What: report.CollectMemory, Cause: "gave up after 30s"}}
	bare.Processes = nil
	for want, args := range map[string][]string{
		"the report was made without looking at memory: make one with memory --save":                      {"memory", "--from", save(t, sickNode(), nil)},
		"the report has no memory; memory: gave up after 30s":                                             {"memory", "--from", save(t, failed, nil)},
		"the report has no processes":                                                                     {"memory", "--from", save(t, bare, nil)},
		"the report was made without asking for users: make one with memory --by user --save":             {"memory", "--by", "user", "--from", save(t, fullNode(), nil)},
		"labels are the API server's, and the report was saved without it: --selector cannot be answered": {"memory", "--from", save(t, fullNode(), nil), "-l", "a=b"},
		`--sort is one of memory, growth, not "count"`:                                                    {"memory", "n", "--sort", "count"},
		`--by is one of pod, container, workload, process, unit, user, not "kind"`:                        {"memory", "n", "--by", "kind"},
		"--watch goes on until Ctrl-C, --samples ends by itself: give one of them":                        {"memory", "n", "--watch", "--samples", "2"},
	} {
		t.Run(want[:min(len(want), 40)], func(t *testing.T) {
			stdout, stderr, code := run(t, args...)
			if stderr != fmt.Sprintf("error: %s\n", want) || stdout != "" || code != ExitFailed {
				t.Errorf("got %q, %q, exit %d", stdout, stderr, code)
			}
		})
	}
}
