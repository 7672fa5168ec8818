package correlate

import (
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// reserved holds what is set aside for the system against what it uses.
//
//	allocatable = capacity − kubeReserved − systemReserved − hard threshold − huge pages
//
// (pkg/kubelet/cm/node_container_manager_linux.go).
func (n *Node) reserved(config inventory.KubeletConfig, k *KubeletMemory, e *Eviction) *Reserved {
	r := &Reserved{Capacity: k.Capacity}
	r.Kube, _ = quantityBytes(config.KubeReserved["memory"])
	r.System, _ = quantityBytes(config.SystemReserved["memory"])
	if hard := e.Hard(); hard != nil {
		r.Eviction = hard.Bytes
	}
	r.HugePages = notNegative(hugePagesOf(n.Report.Memory))
	r.Allocatable = notNegative(amount(&r.Capacity) - amount(&r.Kube) - amount(&r.System) - amount(&r.Eviction) - amount(&r.HugePages))
	// What is not the pods': a cgroup's usage has the kernel memory that is charged to
	// it, the root's has none. Huge pages are set aside by themselves.
	i := n.Report.Memory.Info
	used := int64(k.WorkingSet) + n.uncounted(k)
	if k.Usage == notNegative(amount(i.Total)-amount(i.Free)) {
		used -= min(amount(i.SReclaimable), used)
	}
	r.Reclaimable = uint64(amount(i.ActiveFile))
	if pods := n.podsMemory(); pods != nil {
		r.PodsUse = workingSetOf(pods)
		r.Reclaimable -= min(r.Reclaimable, uint64(amount(pods.ActiveFile)))
	}
	r.Used = notNegative(used - int64(r.PodsUse) - amount(&r.HugePages))
	r.Reclaimable = min(r.Reclaimable, r.Used)
	if n.Inventory == nil {
		return r
	}
	if m := n.Inventory.Memory; m != nil && m.Capacity > 0 {
		r.Capacity, r.Allocatable = m.Capacity, m.Allocatable
	}
	for i := range n.Inventory.Pods {
		if p := &n.Inventory.Pods[i]; !p.Ended() {
			r.Requested += uint64(amount(&p.MemoryRequest))
			r.Limits += uint64(amount(&p.MemoryLimit))
		}
	}
	return r
}
