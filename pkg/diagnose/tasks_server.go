package diagnose

import (
	"regexp"
	"slices"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// serverName is one that a command may have in it: whoever mounts chooses it.
var serverName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9.:-]*$`)

func tasksServerRule() Rule {
	return Rule{
		ID: TasksServer, find: tasksServer,
		Title: "a filesystem's server is waited for",
		Page: Page{
			Means: "Threads wait for the server of a filesystem that comes over the network, and get no further: it is down, hangs, or the network to it is. All that touches what is mounted of it waits, the kubelet included, which measures volumes and unmounts them; pods that are deleted stay Terminating. Mounts are retried for ever, unless they are soft.",
			Computed: []string{
				"One finding for all servers that blocked threads wait for, as " + TasksBlocked + " finds these, where the server is known. That it does not respond is said where the kernel's log does, without a later word that it answers. Of soft mounts it never has that word: theirs counts for five minutes.",
				"It is critical where one of the units " + english.OxfordWordSeries(nodeDaemons(), "and") + " waits.",
			},
			Source: []string{"/proc/PID/task/TID: stat (state), wchan, stack", "proc_pid_mountinfo(5): source", "net/sunrpc/clnt.c: \"nfs: server NAME not responding\"; nfs(5): hard, soft, timeo, retrans"},
			Do: []string{
				"Bring the server back, or the network to it: all who wait go on.",
				"Where it is gone for good: stop what uses it, and detach each mount with umount -f -l.",
			},
			Fooled: []string{
				"Which server it is follows from what pod and node have mounted; no process tells. A filesystem that was detached by umount -l is not among these.",
				"The kernel's log is a ring, and who gave up waiting leaves \"not responding\" as its last word: so threads must wait now.",
				"A server that is merely slow makes threads wait, too.",
			},
		},
	}
}

// waitedServer is a server and who waits for it.
type waitedServer struct {
	name, waitsFor string
	threads        int
	silent, said   *float64
	owners         []correlate.Owner
}

// tasksServer: whoever waits, the server is the cause, and one for many.
func tasksServer(n *correlate.Node, _ Thresholds, _ []Finding) []Finding {
	if n.Report.Tasks == nil {
		return nil
	}
	servers := waitedServers(n.Tasks(correlate.TaskOptions{}).Blocked)
	if len(servers) == 0 {
		return nil
	}
	f := Finding{Severity: Warning, Summary: serversSummary(servers)}
	for _, s := range servers {
		if slices.ContainsFunc(s.owners, func(o correlate.Owner) bool {
			return o.Type == correlate.OwnerUnit && nodeHangsOn(trimService(o.Unit))
		}) {
			f.Severity = Critical
		}
	}
	for _, s := range servers[:min(len(servers), holdersNamedMax)] {
		f.Evidence = append(f.Evidence, s.waits())
		f.Evidence = append(f.Evidence, s.mounted(n)...)
		if s.waitsFor == correlate.WaitsNFS && serverName.MatchString(s.name) {
			f.Remedy = append(f.Remedy, Step{Do: "see on the node whether it can be reached (2049 unless the mount says port=)", Run: "nc -vz -w 3 " + s.name + " 2049"})
		}
	}
	f.Remedy = append(f.Remedy, blockedRemedy(servers[0].waitsFor))
	return []Finding{f}
}

func waitedServers(rows []correlate.BlockedRow) []*waitedServer {
	var servers []*waitedServer
	for _, row := range rows {
		if row.Server == "" || row.Waiting() == 0 {
			continue
		}
		i := slices.IndexFunc(servers, func(s *waitedServer) bool { return s.name == row.Server && s.waitsFor == row.WaitsFor })
		if i < 0 {
			i = len(servers)
			servers = append(servers, &waitedServer{name: row.Server, waitsFor: row.WaitsFor, silent: row.SilentSeconds, said: row.SaidSeconds})
		}
		s := servers[i]
		s.threads += row.Waiting()
		if owner := withoutContainer(row.Owner); !slices.Contains(s.owners, owner) {
			s.owners = append(s.owners, owner)
		}
	}
	slices.SortStableFunc(servers, func(a, b *waitedServer) int { return b.threads - a.threads })
	return servers
}
