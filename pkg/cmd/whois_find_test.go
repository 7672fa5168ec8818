package cmd

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// backgroundReport has a bit of everything that stands behind a process.
const backgroundReport = `{"apiVersion":"nodedoc.io/v1alpha1","kind":"NodeReport",
 "node":{"now":1700090000,"bootTime":1700000000,"uptime":90000,"clockTicks":100},
 "processes":{"cgroups":[{"entries":[{"path":"/user.slice/user-1000.slice/session-3.scope"}]},{"entries":[{"path":"/"}]}],"list":[
  {"pid":7,"comm":"a","cgroup":0,"detail":{"uid":100000,"rights":{"capabilities":{"effective":"000001ffffffffff"},"uidMap":[{"inside":0,"outside":100000,"length":9}],
    "namespaces":[{"type":"net","inode":1}],"limits":[{"name":"Max open files"}],"loginUID":1000,"loginName":"\u001b[31m","sessionID":3}}},
  {"pid":8,"comm":"b","cgroup":0},
  {"pid":9,"comm":"ext4-rsv-conver","kernel":true,"cgroup":1,"detail":{"uid":0}},
  {"pid":10,"comm":"jbd2/sda1-8","kernel":true,"cgroup":1,"detail":{"uid":0}}]},
 "background":{"zone":{"name":"X","tzif":"VFppZg=="},"lastCapability":40,"hostNamespaces":[{"type":"net","inode":1}],
  "units":[{"name":"session-3.scope","files":[{"path":"/x","settings":[{"section":"Unit","key":"Description","value":"Of %n \u001b"}]}]}],
  "timers":[{"name":"a.timer","starts":"session-3.scope","stamp":-1,"files":[{"path":"/y","settings":[{"section":"Timer","key":"OnCalendar","value":"daily"},{"section":"Timer","key":"OnUnitActiveSec","value":"1h"},{"section":"Timer","key":"RandomizedDelaySec","value":"infinity"}]}]}],
  "cron":[{"pid":7,"daemonComm":"cron\u001b","entries":[{"file":"/etc/crontab","line":1,"by":"mention","command":"\u202e"}]}],
  "sessions":[{"file":"/run/systemd/sessions/3","values":[{"key":"REALTIME","value":"9223372036854775807"},{"key":"USER","value":"x"}]}],
  "devices":[{"pid":10,"name":"sda1","number":"8:1","guessed":true,"mounts":[{"point":"/pods/e13c3afb-d0a2-425e-9296-50ae995d0603/volumes/a/b","fsType":"ext4"}],"mountsTotal":-5}],
  "mounted":[{"name":"ext4","count":2}]},
 "found":{"port":80,"namespaces":1,"sockets":[{"protocol":"TCP","inode":5,"state":"LISTEN","local":"\u001b"}],"holders":[{"pid":7,"inode":5,"kind":"socket","count":2},{"pid":99,"inode":5,"kind":"socket","count":1}]}}`

func TestFindInASavedReport(t *testing.T) {
	r := sickNode()
	r.Found = &report.Found{Find: report.Find{Port: 2375}, Sockets: []report.FoundSocket{{Protocol: "TCP6", State: "LISTEN", Local: "[::]:2375", Inode: 9, HostNetwork: new(true)}},
		Holders: []report.Holder{{PID: 767196, Inode: 9, Kind: "socket", Count: 1}}}
	path := save(t, r, hubInventory())
	for args, want := range map[string]string{
		"--pod prod/hub-0 -o name":                                                         "pod/hub-0\n",
		"--pod prod/hub-0 -o jsonpath={.processes[*].pid}":                                 "2711896 3663411",
		"--pod hub-0 -o jsonpath={.processes[*].pid}":                                      "2711896 3663411",
		"--container-id docker://" + containerID[:8] + " -o jsonpath={.processes[*].ppid}": "1 2711896",
		"--port 2375 -o jsonpath={.processes[*].holds}":                                    "TCP6 [::]:2375 LISTEN",
		"--port 2375 -o name":                                                              "unit.nodedoc.io/docker.service\n",
	} {
		stdout, stderr, code := run(t, append([]string{"whois-pid", "--from", path}, strings.Fields(args)...)...)
		if stdout != want || stderr != "" || code != ExitOK {
			t.Errorf("%s: got %q, %q, exit %d, want %q", args, stdout, stderr, code, want)
		}
	}
	stdout, _, code := run(t, "whois-pid", "--from", path, "--port", "2375")
	if code != ExitOK || !strings.HasPrefix(stdout, "   PID  PPID") || !strings.Contains(stdout, "docker.service") {
		t.Errorf("got %q, exit %d", stdout, code)
	}
	var doc struct{ Kind, Node string }
	if out, _, _ := run(t, "whois-pid", "--from", path, "--pod", "prod/hub-0", "-o", "json"); json.Unmarshal([]byte(out), &doc) != nil || doc.Kind != "ProcessList" || doc.Node != "node-43" {
		t.Errorf("got %+v", doc)
	}
}

func TestFindErrors(t *testing.T) {
	path := save(t, sickNode(), hubInventory())
	for args, want := range map[string]string{
		"--pod prod/x":            "no process of pod prod/x on node-43: kubectl get pod -n prod x -o wide says where it runs",
		"--container-id abc":      "needs 4 characters",
		"--container-id ffffffff": "no container whose id begins with",
		"--port 70000":            "--port is between 1 and 65535",
		"--port 80":               "the report was made without looking for that; ask the node itself",
		"--inode 5":               "the report was made without looking for that",
		"--pod a/b 17":            "either process ids or one of --pod",
		"--pod a/b --port 80":     "if any flags in the group",
		"--inode x":               "invalid argument",
	} {
		stdout, stderr, code := run(t, append([]string{"whois-pid", "--from", path}, strings.Fields(args)...)...)
		if stdout != "" || !strings.Contains(stderr, want) || code != ExitFailed {
			t.Errorf("%s: got %q, %q, exit %d, want %q", args, stdout, stderr, code, want)
		}
	}
}

// --verbose is -o wide, and machines get everything anyway.
func TestVerbose(t *testing.T) {
	r := sickNode()
	r.Processes.List[3].Detail.Rights = &report.Rights{Capabilities: report.CapabilitySets{Effective: "0000000000000400"}}
	path := save(t, r, nil)
	plain, _, _ := run(t, "whois-pid", "--from", path, "3663411")
	verbose, _, _ := run(t, "whois-pid", "--from", path, "3663411", "--verbose")
	wide, _, _ := run(t, "whois-pid", "--from", path, "3663411", "-o", "wide")
	machine, _, _ := run(t, "whois-pid", "--from", path, "3663411", "-o", "jsonpath={.processes[0].rights.effective}")
	if strings.Contains(plain, "NET_BIND") || !strings.Contains(verbose, "NET_BIND_SERVICE") || wide != verbose || machine != `["NET_BIND_SERVICE"]` {
		t.Errorf("got %q, %q, %q, %q", plain, verbose, wide, machine)
	}
}
