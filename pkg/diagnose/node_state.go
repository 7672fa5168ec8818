package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// IDs of what is known of a node beside its report, or without it.
const (
	NodeNotReady    = "node-not-ready"
	NodeStartsNoPod = "node-starts-no-pod"
	NodeNotExamined = "node-not-examined"
)

func nodeNotReadyRule() Rule {
	return Rule{ID: NodeNotReady, Title: "the API server has the node for not ready", find: nodeNotReady, Page: Page{
		Means:    "The kubelet says that it is not ready, or has stopped saying anything: nothing is scheduled here, and after five minutes its pods are evicted.",
		Computed: []string{"The condition Ready of the node's object is not True when the report has come. It stands under whatever critical finding keeps a kubelet from seeing its containers."},
		Source:   []string{"The node's status, and the process table for a kubelet; pkg/kubelet/nodestatus/setters.go ReadyCondition, kube-controller-manager's --node-monitor-grace-period."},
		Do:       []string{"Heal the cause that it stands under. Without one, see why the kubelet ended, or what its condition says: the runtime, the network plugin, PLEG."},
		Fooled:   []string{"The kubelet posts its status every ten seconds at best, and its lease may be seen late: the node may be ready again, or no longer."}}}
}

// nodeStartsNoPodRule and nodeNotExaminedRule have pages only: what they are about is
// known where a report is asked for, see StartsNoPod and NotExamined.
func nodeStartsNoPodRule() Rule {
	return Rule{ID: NodeStartsNoPod, Title: "the node starts no pod: its standby has told of it", Page: Page{
		Means:    "The pod that was to look did not start there, and a standby that had been put on the node before did the look. No other pod starts there either, most likely.",
		Computed: []string{"The node is not ready or the pod did not start in time, and the standby answered. It stands under whatever critical finding keeps a kubelet from starting containers."},
		Source:   []string{"The pod's conditions and events; the standby's report, which says how old it is."},
		Do:       []string{"Heal the cause that it stands under; the events of a pod that does not start say what the kubelet waits for."},
		Fooled:   []string{"A quota, an admission webhook or an image that cannot be pulled keep this one pod away, and no others: the reason is among the evidence."}}}
}

func nodeNotExaminedRule() Rule {
	return Rule{ID: NodeNotExamined, Title: "nothing can look at the node", Page: Page{
		Means:    "No pod started there, and there is no standby: nothing is known of the node but what others tell of it. That it has no other finding means nothing.",
		Computed: []string{"Neither a pod nor a standby gave a report. What the API server knows of the node and of its kubelet is the evidence."},
		Source:   []string{"The node's conditions, lease and events, and the kubelet's endpoints. Why the ways that were tried failed is the reason that stands with the node."},
		Do:       []string{"Have the report made over ssh (kubectl nodedoc script NODE), which takes no pod, and read it with --from.", "Put a standby on the nodes while all is well: kubectl nodedoc standby."},
		Fooled: []string{"The reader's own rights may be what is missing: the reason stands with the node.",
			"An image that cannot be pulled keeps this one pod away, and no others: the reason says so."}}}
}

// nodeNotReady is silent where nobody has asked the API server.
func nodeNotReady(n *correlate.Node, _ Thresholds, earlier []Finding) []Finding {
	if n.Inventory == nil || n.Inventory.Memory == nil {
		return nil
	}
	for _, c := range n.Inventory.Memory.Conditions {
		if c.Type != "Ready" || c.Status == "True" {
			continue
		}
		f := Finding{Severity: Critical, Summary: "the node is not ready: " + c.Reason, CausedBy: holdsUpKubelet(earlier), Remedy: []Step{},
			Evidence: []string{fmt.Sprintf("its condition Ready is %s: %s", c.Status, c.Message)}}
		if c.Since > 0 {
			f.Evidence[0] += ", since " + time.Unix(c.Since, 0).UTC().Format("2006-01-02 15:04:05 MST")
		}
		if r := n.Report; r.Kubelet == nil && r.Processes != nil {
			f.Evidence = append(f.Evidence, "no kubelet is among the node's processes")
			f.Remedy = []Step{{Do: "see why it ended, on the node", Run: "journalctl -u kubelet -n 50 --no-pager"}}
		}
		return []Finding{f}
	}
	return nil
}

// StartsNoPod is a node that a standby has looked at, as no pod was started there.
func StartsNoPod(why string, others []Finding) Finding {
	return Finding{ID: NodeStartsNoPod, Severity: Critical, Summary: "the node starts no pod: what is told of it comes from its standby",
		Evidence: []string{why}, Remedy: []Step{}, CausedBy: holdsUpKubelet(others)}
}

// NotExamined is a node at which nothing can look. Facts are what others tell of it,
// script is the command by which a shell looks.
func NotExamined(why string, facts []string, script string) Finding {
	return Finding{ID: NodeNotExamined, Severity: Critical, Summary: "the node cannot be examined: " + why,
		Evidence: facts, Remedy: []Step{{Do: "have its report made over ssh, which takes no pod", Run: script}}}
}

// holdsUpKubelet names those among others that keep a kubelet from seeing or starting
// containers, and so from being ready.
func holdsUpKubelet(others []Finding) []string {
	critical := slices.DeleteFunc(slices.Clone(others), func(f Finding) bool { return f.Severity != Critical })
	return ids(critical, slices.Concat([]string{PipesRuntimeBlocked, RuntimeDaemon, MountsLeaked, FDNodeLimit, TasksNodeLimit, TasksPodLimit, TasksBlocked}, memoryCauses(),
		[]string{MemoryOOMKills})...)
}
