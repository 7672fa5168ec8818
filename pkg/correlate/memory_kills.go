package correlate

// kills are the processes that were killed for memory in a row's cgroups. v1 counts
// in the container's own cgroup, which is another one after each restart, so that
// the kernel's log may know of more; and where it does not, 0 of a pod that was
// started anew is no number at all. Of a kernel before 4.13 the log alone knows.
func (r *memoryRanking) kills(row MemoryRow, g *memoryGroup) *int {
	logged := r.killed[killsOf{row.Owner.Type, row.Owner.PodUID, row.Owner.Unit, r.containerOf(row.Owner)}]
	count := max(int(min(g.counts.oomKills, 1<<31)), logged)
	if count == 0 && (!g.counted || r.n.Report.Memory.CgroupVersion == 1 && r.restarted(row.Owner)) {
		return nil
	}
	return &count
}

// killsOf is an owner as the kernel's log tells of it.
type killsOf struct {
	kind                 OwnerType
	pod, unit, container string
}

// containerOf is the container that a row is about, "" for a whole pod.
func (r *memoryRanking) containerOf(o Owner) string {
	if r.by == ByContainer {
		return o.Container
	}
	return ""
}

// countKilled counts the processes of pods and units that the kernel's log tells of.
func (r *memoryRanking) countKilled() {
	r.killed = map[killsOf]int{}
	for _, e := range r.n.oomEvents() {
		if o := e.owner; o.Type == OwnerPod || o.Type == OwnerUnit {
			r.killed[killsOf{o.Type, o.PodUID, o.Unit, r.containerOf(o)}] += e.processes
		}
	}
}

// restarted: some container of the pod was; or the API server does not say.
func (r *memoryRanking) restarted(o Owner) bool {
	if o.Type != OwnerPod {
		return false
	}
	pod := r.n.podByUID[o.PodUID]
	if pod == nil {
		return true
	}
	for _, c := range pod.Containers {
		if c.Restarts > 0 && (r.by != ByContainer || c.Name == o.Container) {
			return true
		}
	}
	return false
}
