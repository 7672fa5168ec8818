package correlate

import (
	"encoding/binary"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// maxHeld bounds pairs of a volume and a holder. What a report may claim costs a
// few bytes there: "0-6384" in each of a million places. 6,385 volumes in 31
// namespaces are 200,000.
const maxHeld = 4_000_000

// holderList collects who holds which volume.
type holderList struct {
	j       *mountJoin
	holders []*Holder
	of      [][]uint32 // volume → indices into holders
	count   int
	cut     bool
}

// findHolders says for each volume of volumeList who else has it mounted.
func (j *mountJoin) findHolders() *holderList {
	h := &holderList{j: j, of: make([][]uint32, len(j.volumeList))}
	index := map[*volume]int{}
	for k, v := range j.volumeList {
		index[v] = k
		if v.root == nil {
			h.addRoots(k, v)
		}
	}
	// Where several volumes share a filesystem nobody can tell which it is.
	only := make([]int, len(j.byFS))
	for fs, volumes := range j.byFS {
		only[fs] = -1
		if len(volumes) == 1 && !j.nodeDisks[fs] && !j.shared[fs] && j.mounts.Filesystems[fs].Type != "devtmpfs" {
			only[fs] = index[volumes[0]]
		}
	}
	for i := range j.mounts.Namespaces {
		if ns := &j.mounts.Namespaces[i]; !ns.Host {
			h.addNamespace(ns, only)
		}
	}
	return h
}

func (h *holderList) addNamespace(ns *report.MountNamespace, only []int) {
	holder := Holder{Owner: Owner{Type: OwnerUnknown}, Namespace: ns.Inode, PID: ns.PID}
	if p := h.j.n.processes[ns.PID]; p != nil {
		holder.Owner, holder.Comm = h.j.n.Blame(p).Owner, p.Comm
	}
	for _, g := range ns.Groups {
		if h.count > maxHeld {
			h.cut = true
			return
		}
		indices, err := g.Filesystems.Indices(len(only))
		if err != nil {
			h.cut = true
			continue
		}
		h.count += len(indices)
		at := -1
		for _, fs := range indices {
			if only[fs] < 0 {
				continue
			}
			if at < 0 {
				at = len(h.holders)
				in := holder
				in.Entry, in.Private, in.Via = g.Entry, !g.Receives, h.j.n.via(holder.Owner, g.Entry)
				h.holders = append(h.holders, &in)
			}
			h.of[only[fs]] = append(h.of[only[fs]], uint32(at))
		}
	}
}

// addRoots adds the containers below whose root directories a volume has copies.
func (h *holderList) addRoots(k int, v *volume) {
	type entry struct {
		root *containerRoot
		at   string
	}
	counts := map[entry]int{}
	var seen []entry
	for _, i := range v.mounts {
		if root := h.j.at[i].root; root != nil {
			e := entry{root, root.entry(h.j.at[i].below)}
			if counts[e]++; counts[e] == 1 {
				seen = append(seen, e)
			}
		}
	}
	for _, e := range seen {
		h.of[k] = append(h.of[k], h.rootHolder(e.root, e.at, counts[e]))
		h.count++
	}
}

// rootHolder is the index of a root directory that holds so many mounts of a
// volume below one entry; thousands of volumes have the same.
func (h *holderList) rootHolder(root *containerRoot, entry string, mounts int) uint32 {
	key := rootHolderKey{entry, mounts}
	if at, ok := root.holders[key]; ok {
		return at
	}
	holder := Holder{Owner: *root.Owner, Root: root.Path, Why: root.Why, Mounts: mounts, Entry: entry}
	holder.Via = h.j.n.via(holder.Owner, entry)
	if holder.Via == nil {
		holder.Via, holder.Owner.Workload = h.j.n.viaSuccessor(holder.Owner, entry)
	}
	at := uint32(len(h.holders))
	h.holders = append(h.holders, &holder)
	if root.holders == nil {
		root.holders = map[rootHolderKey]uint32{}
	}
	root.holders[key] = at
	return at
}

type rootHolderKey struct {
	entry  string
	mounts int
}

// share gives each volume its holders, one list for all volumes with the same.
func (h *holderList) share(volumes []Volume) {
	first := map[string]int{} // volume with these holders
	var key []byte
	for k, indices := range h.of {
		key = key[:0]
		for _, at := range indices {
			key = binary.LittleEndian.AppendUint32(key, at)
		}
		v := &volumes[k]
		if at, ok := first[string(key)]; ok {
			v.HeldBy, v.Holders = volumes[at].HeldBy, volumes[at].Holders
			continue
		}
		first[string(key)] = k
		v.HeldBy = indices
		for _, at := range indices {
			v.Holders = append(v.Holders, h.holders[at])
		}
	}
}

// Keep keeps these of the volumes, and the holders that they have.
func (m *NodeMounts) Keep(volumes []Volume) {
	m.Volumes = volumes
	all, to := m.Holders, make(map[uint32]uint32, len(m.Holders))
	m.Holders = nil
	for i := range m.Volumes {
		v := &m.Volumes[i]
		heldBy := make([]uint32, len(v.HeldBy)) // others share the old one
		for k, at := range v.HeldBy {
			if _, ok := to[at]; !ok {
				to[at] = uint32(len(m.Holders))
				m.Holders = append(m.Holders, all[at])
			}
			heldBy[k] = to[at]
		}
		v.HeldBy = heldBy
	}
}
