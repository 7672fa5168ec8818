package cmd

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

// FuzzAnswer: whatever a node says, all that is made of it works and is safe to
// print, and every answer can be encoded.
func FuzzAnswer(f *testing.F) {
	data, err := json.Marshal(saved.File{APIVersion: "nodedoc.io/v1alpha1", Kind: saved.Kind, Report: sickNode(), Inventory: hubInventory()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"apiVersion":"nodedoc.io/v1alpha1","kind":"NodeReport","node":{"now":253402300800},"openFiles":{"max":10,"samples":[{"allocated":9}],"inotify":{"maxInstances":1,"maxWatches":1}},` +
		`"processes":{"fdMethod":"getdents","kernelThreads":1,"users":[{"uid":0,"name":"root"}],"list":[{"pid":1,"uid":0,"fds":{"count":-5,"limit":{"soft":18446744073709551615,"hard":0},"inotify":{"instances":-1,"watches":9},` +
		`"kinds":[{"name":"deleted file","count":600}],"targets":[{"kind":"TCP","pattern":"CLOSE_WAIT to [::1]:1","count":3}],"sockets":[{"protocol":"TCP","state":"CLOSE_WAIT","remote":"[::1]:1","count":500},` +
		`{"protocol":"unix","local":"/run/docker.sock","peer":{"pid":9,"comm":"x"},"count":900}]}}]}}`))
	f.Add([]byte(`{"apiVersion":"nodedoc.io/v1alpha1","kind":"NodeReport","tasks":{"pidMax":10,"total":18446744073709551615,"limits":[{"path":"/a","current":9,"max":0,"refused":3}],` +
		`"kernelThreads":[{"pattern":"jbd2/*","count":-1,"devices":2,"names":[{"name":"vd","cut":true,"threads":-9},{"name":"8:0"}]}],"blocked":[{"pid":1,"tid":-1,"wchan":"nfs_x","stayedMillis":9223372036854775807}]},` +
		`"mounts":{"filesystems":[{"number":"8:0","source":"/dev/vda"}],"list":[{"fs":0,"point":"/x"},{"fs":9}]},"devices":{"list":[{"number":"8:0","name":"vda"}]},"processes":{"list":[{"pid":1,"state":"Z","threads":0}]}}`))
	f.Add([]byte(`{"apiVersion":"nodedoc.io/v1alpha1","kind":"NodeReport","node":{"now":9,"clockTicks":100},"processes":{"cgroups":[{"entries":[{"controllers":"","path":"/a/b"}]}],"list":[{"pid":1,"rssBytes":-1,"memory":{"rssBefore":18446744073709551615}},` +
		`{"pid":2,"rssBytes":9223372036854775807,"memory":{"rssBefore":1,"rssSteps":[3,2],"anon":18446744073709551615,"pss":18446744073709551615,"cwd":"/var/lib/kubelet/pods/93e182b4-1f00-4c6e-9d51-0242ac120002/x"}}]},` +
		`"memory":{"cgroupVersion":2,"noHierarchy":true,"info":{"total":18446744073709551615,"free":18446744073709551615,"available":1,"sUnreclaim":9223372036854775807,"anonPages":1,"cached":1},"hugePages":[{"pageBytes":2,"pages":18446744073709551615}],` +
		`"samples":[{"atMillis":-9223372036854775808,"available":5},{"atMillis":9223372036854775807,"available":18446744073709551615}],"pressure":{"some":{"avg10":1e308}},` +
		`"cgroups":[{"path":"/","anon":0},{"path":"/"},{"path":"relative"},{"path":"/a/b/../c","usage":18446744073709551615,"usageBefore":0,"limit":1,"oomKills":18446744073709551615},{"path":"/a","anon":18446744073709551615,"limit":0}]},` +
		`"oom":{"kills":[{"pid":-1,"comm":"x","at":1e300}]}}`))
	f.Add([]byte(backgroundReport))
	f.Add([]byte(`{"apiVersion":"nodedoc.io/v1alpha1","kind":"NodeReport","kubelet":{"pid":1,"daemons":[{"pid":1,"comm":"kubelet","cpuPercent":-1e308,"rssBytes":-1,"threads":-5,"fds":-1}]},` +
		`"logs":{"since":-9223372036854775808,"until":9223372036854775807,"blobs":[{"compression":"zstd","data":"KLUv/Q=="},{"compression":"xz"}],"sources":[{"name":"kernel","left":-9,"written":9223372036854775807,` +
		`"lines":[{"at":9223372036854775807,"text":"x"},{"at":1,"blobs":[0,1,-1]},{"priority":-1,"text":"I1122 06:35:55.123456 1 a.go:1] PLEG is not healthy"}]}]}}`))
	f.Add([]byte(`{"apiVersion":"nodedoc.io/v1alpha1","kind":"NodeReport","processes":{"list":[{"pid":1,"ppid":1,"cgroup":7,"fds":{"count":-1}}]}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, inv, err := saved.Read("-", bytes.NewReader(in))
		if err != nil {
			return
		}
		n := correlate.Join(r, inv)
		findings := diagnose.Diagnose(n, diagnose.Thresholds{})
		var text bytes.Buffer
		for _, by := range correlate.Groupings() {
			ranking := n.RankFDs(correlate.By(by))
			for _, s := range []printer.Style{{Width: 80}, {Width: 1}, {Wide: true}} {
				if err := printer.FD(&text, ranking, findings, s); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := toObject("X", fdDocument{ranking, findings}); err != nil {
				t.Fatal(err)
			}
			n.Rank(correlate.RankOptions{By: correlate.By(by), Sort: correlate.SortGrowth, Filter: correlate.Filter{Namespace: "prod"}})
		}
		for _, by := range correlate.MemoryGroupings() {
			memory := n.Memory(correlate.MemoryOptions{By: correlate.By(by), Sort: correlate.SortGrowth})
			for _, s := range []printer.Style{{Width: 80, Top: 3}, {Width: 1}, {Wide: true}} {
				if err := printer.Memory(&text, memory, findings, s); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := toObject("X", memoryDocument{memory, findings}); err != nil {
				t.Fatal(err)
			}
		}
		tasks := n.Tasks(correlate.TaskOptions{})
		if err := printer.Tasks(&text, tasks, findings, printer.Style{Width: 40, Top: 3}); err != nil {
			t.Fatal(err)
		}
		if _, err := toObject("X", tasksDocument{tasks, findings}); err != nil {
			t.Fatal(err)
		}
		kubelet := n.Kubelet()
		if err := printer.Kubelet(&text, kubelet, findings, printer.Style{Width: 40, Top: 3}); err != nil {
			t.Fatal(err)
		}
		if _, err := toObject("X", kubeletDocument{kubelet, findings}); err != nil {
			t.Fatal(err)
		}
		if r.Processes == nil {
			return
		}
		for _, p := range r.Processes.List {
			id, ok := n.Whois(p.PID)
			if !ok {
				t.Fatalf("process %d is in the report", p.PID)
			}
			if err := printer.Whois(&text, n.Name(), []correlate.Identity{id}, nil, printer.Style{Width: 40}); err != nil {
				t.Fatal(err)
			}
			if err := printer.Whois(&text, n.Name(), []correlate.Identity{id}, nil, printer.Style{Wide: true}); err != nil {
				t.Fatal(err)
			}
			if _, err := toObject("X", whoisDocument{Processes: []correlate.Identity{id}}); err != nil {
				t.Fatal(err)
			}
			fds, _ := n.ProcessFDs(p.PID)
			if err := printer.FDProcess(&text, fds, findings, printer.Style{Width: 40}); err != nil {
				t.Fatal(err)
			}
			if _, err := toObject("X", fdProcessDocument{fds, findings}); err != nil {
				t.Fatal(err)
			}
		}
		if r.Found != nil {
			rows, _ := n.Holders(r.Found.Find)
			if err := printer.Processes(&text, rows, n.HostPorts(r.Found.Port), nil, printer.Style{Width: 40}); err != nil {
				t.Fatal(err)
			}
		}
		noRawControls(t, text.String())
	})
}
