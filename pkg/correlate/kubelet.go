package correlate

import (
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/logs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// NodeKubelet is what the kubelet and the container runtime of a node use, beside their
// neighbours on other nodes, and what they log.
type NodeKubelet struct {
	Node string `json:"node"`
	// Time when the look began, by the node's clock.
	Time       *time.Time    `json:"time,omitempty"`
	Daemons    []Daemon      `json:"daemons"`
	Neighbours NeighbourUses `json:"neighbours"`
	Logs       []logs.Log    `json:"logs"`
	// Profile is nil where nobody asked for it, or with ProfileError.
	Profile      *KubeletProfile `json:"profile,omitempty"`
	ProfileError string          `json:"profileError,omitempty"`

	Gaps []report.Unreadable `json:"gaps,omitempty"`
}

// Daemon is the kubelet or a runtime's daemon on the node.
type Daemon struct {
	Name string `json:"name"`          // kubelet, containerd, dockerd, crio
	PID  int    `json:"pid,omitempty"` // 0: only its metrics tell of it
	Unit string `json:"unit,omitempty"`
	// CPUPercent is of one core, over SampleMillis; nil: not known, as all of these.
	CPUPercent   *float64 `json:"cpuPercent,omitempty"`
	SampleMillis int64    `json:"sampleMillis,omitempty"`
	RSSBytes     *uint64  `json:"rssBytes,omitempty"`
	Threads      int      `json:"threads,omitempty"`
	FDs          *int     `json:"fds,omitempty"`
	AgeSeconds   float64  `json:"ageSeconds,omitempty"`
	// CPU and Memory compare it with its neighbours: the kubelet by its process, the
	// runtime by its cgroup with all that is in it.
	CPU    *Comparison `json:"cpu,omitempty"`
	Memory *Comparison `json:"memory,omitempty"`
}

// Comparison sets a figure beside that of the neighbours.
type Comparison struct {
	Own    float64 `json:"own"`
	Median float64 `json:"median"`
	Of     int     `json:"of"` // neighbours that told theirs
	// Ratio is Own by Median; 0: the median is nothing.
	Ratio float64 `json:"ratio,omitempty"`
}

// NeighbourUses are other nodes' kubelets by their own metrics.
type NeighbourUses struct {
	List []inventory.KubeletSelf `json:"list"`
	// Of is how many other nodes were ready to be asked.
	Of int `json:"of"`
	// Asked: somebody asked for them; Error is why there are none.
	Asked bool   `json:"asked"`
	Error string `json:"error,omitempty"`
}

// kubeletName is that of Daemon.Name for the kubelet, under whatever name its program runs.
const kubeletName = "kubelet"

// Kubelet joins what the node and the API server tell of the kubelet. It is computed
// once.
func (n *Node) Kubelet() NodeKubelet {
	if n.kubelet != nil {
		return *n.kubelet
	}
	k := &NodeKubelet{Node: n.Name(), Time: n.Time(), Daemons: []Daemon{}, Logs: []logs.Log{}, Neighbours: NeighbourUses{List: []inventory.KubeletSelf{}}, Gaps: n.Gaps()}
	n.kubelet = k
	k.Daemons = append(k.Daemons, n.daemons()...)
	n.readLogs(k)
	if n.Inventory != nil && n.Inventory.Kubelets != nil {
		n.compare(k, n.Inventory.Kubelets)
	}
	return *k
}

// daemons are the kubelet and the runtimes' as the probe saw them.
func (n *Node) daemons() (list []Daemon) {
	if n.Report.Kubelet == nil {
		return nil
	}
	for _, p := range n.Report.Kubelet.Daemons {
		d := Daemon{Name: p.Comm, PID: p.PID, CPUPercent: p.CPUPercent, SampleMillis: p.SampleMillis, Threads: p.Threads, FDs: p.FDs, AgeSeconds: n.Age(p.PID)}
		if p.PID == n.Report.Kubelet.PID {
			d.Name = kubeletName
		}
		if p.RSSBytes > 0 {
			rss := uint64(p.RSSBytes)
			d.RSSBytes = &rss
		}
		if process := n.processes[p.PID]; process != nil {
			if owner := n.Blame(process).Owner; owner.Type == OwnerUnit {
				d.Unit = owner.Unit
			}
		}
		list = append(list, d)
	}
	return list
}

// readLogs groups the node's own logs, and where the kubelet's is not among them, what
// its endpoint gave.
func (n *Node) readLogs(k *NodeKubelet) {
	if n.Report.Logs != nil {
		read, err := logs.Read(n.Report.Logs)
		if k.Logs = append(k.Logs, read...); err != nil {
			k.Gaps = append(k.Gaps, report.Unreadable{What: "some packed lines of the journal", Cause: report.Escape(err.Error())})
		}
	}
	if n.Inventory == nil || n.Inventory.Kubelets == nil {
		return
	}
	from := n.Inventory.Kubelets
	if from.LogError != "" {
		k.Gaps = append(k.Gaps, report.Unreadable{What: "log endpoint of the kubelet", Cause: from.LogError})
	}
	if from.Log == nil || slices.ContainsFunc(k.Logs, func(l logs.Log) bool { return l.Name == report.LogKubelet && l.Lines > 0 }) {
		return
	}
	s := report.LogSource{Name: report.LogKubelet, Where: "kubelet's endpoint " + from.Log.Path, Written: from.Log.Asked, Cut: from.Log.Cut}
	for _, line := range from.Log.Lines {
		s.Lines = append(s.Lines, report.LogLine{Text: line})
	}
	all := &report.Logs{Since: from.Log.Since * 1e6, Until: from.Log.Asked * 1e6, Sources: []report.LogSource{s}}
	if read, err := logs.Read(all); err == nil {
		k.Logs = append(read, k.Logs...)
	}
}
