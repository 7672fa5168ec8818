package correlate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Rights are what a process may do, in a person's terms.
type Rights struct {
	// Effective, Permitted and Bounding are capabilities by name, or "all"; absent
	// where the kernel does not say, empty where there are none.
	Effective []string `json:"effective,omitzero"`
	Permitted []string `json:"permitted,omitzero"`
	Bounding  []string `json:"bounding,omitzero"`
	// Seccomp is "off", "strict" or "filter"; "" where the kernel does not say.
	Seccomp    string `json:"seccomp,omitempty"`
	NoNewPrivs *bool  `json:"noNewPrivs,omitempty"`
	Label      string `json:"label,omitempty"`
	// OOMScoreAdj goes from -1000 (never killed) to 1000 (killed first).
	OOMScoreAdj *int `json:"oomScoreAdj,omitempty"`
	OOMScore    *int `json:"oomScore,omitempty"`
	// HostNamespaces are shared with the node's first process, OwnNamespaces
	// are not. Neither is there where that process's could not be read.
	HostNamespaces []string       `json:"hostNamespaces,omitempty"`
	OwnNamespaces  []string       `json:"ownNamespaces,omitempty"`
	UIDMap         []report.IDMap `json:"uidMap,omitempty"`
	GIDMap         []report.IDMap `json:"gidMap,omitempty"`
	// UIDInside is the user within its user namespace, where that is its own.
	UIDInside *int64         `json:"uidInside,omitempty"`
	Limits    []report.Limit `json:"limits,omitempty"`
}

func (n *Node) rights(d *report.ProcessDetail) *Rights {
	if d.Rights == nil {
		return nil
	}
	r := d.Rights
	lastCap := 63
	var host []report.Namespace
	if b := n.Report.Background; b != nil {
		host = b.HostNamespaces
		if b.LastCapability != nil {
			lastCap = *b.LastCapability
		}
	}
	out := &Rights{Effective: capabilityNames(r.Capabilities.Effective, lastCap), Permitted: capabilityNames(r.Capabilities.Permitted, lastCap),
		Bounding: capabilityNames(r.Capabilities.Bounding, lastCap), Seccomp: seccompName(r.Seccomp), Label: r.Label,
		OOMScoreAdj: r.OOMScoreAdj, OOMScore: r.OOMScore, UIDMap: r.UIDMap, GIDMap: r.GIDMap, Limits: r.Limits}
	if r.NoNewPrivs != nil {
		set := *r.NoNewPrivs != 0
		out.NoNewPrivs = &set
	}
	out.HostNamespaces, out.OwnNamespaces = compareNamespaces(r.Namespaces, host)
	if d.UID >= 0 && !identityMap(r.UIDMap) {
		out.UIDInside = idInside(r.UIDMap, int64(d.UID))
	}
	return out
}

func compareNamespaces(own, host []report.Namespace) (shared, apart []string) {
	for _, ns := range own {
		i := slices.IndexFunc(host, func(h report.Namespace) bool { return h.Type == ns.Type })
		switch {
		case i < 0 || ns.Inode == 0 || host[i].Inode == 0:
		case host[i].Inode == ns.Inode:
			shared = append(shared, ns.Type)
		default:
			apart = append(apart, ns.Type)
		}
	}
	return shared, apart
}

// identityMap: that of the first user namespace maps all ids to themselves.
func identityMap(maps []report.IDMap) bool {
	return len(maps) == 0 || len(maps) == 1 && maps[0].Inside == 0 && maps[0].Outside == 0
}

// idInside is the id within the namespace of one outside, nil where it has none.
func idInside(maps []report.IDMap, outside int64) *int64 {
	for _, m := range maps {
		if offset := outside - m.Outside; offset >= 0 && offset < m.Length {
			inside := m.Inside + offset
			return &inside
		}
	}
	return nil
}

func seccompName(mode *int) string {
	switch {
	case mode == nil:
		return ""
	case *mode == 0:
		return "off"
	case *mode == 1:
		return "strict"
	case *mode == 2:
		return "filter"
	}
	return fmt.Sprint(*mode)
}

// capabilityNames names the set bits of a capability set in hexadecimal. All
// that this kernel has are "all", one that has no name is its number; nil where
// the kernel does not say.
func capabilityNames(hex string, last int) []string {
	set, err := strconv.ParseUint(hex, 16, 64)
	if err != nil {
		return nil
	}
	names := []string{}
	if last >= 0 && last < 63 && set == 1<<(last+1)-1 {
		return []string{"all"}
	}
	all := capabilities()
	for bit := range 64 {
		switch {
		case set&(1<<bit) == 0:
		case bit < len(all):
			names = append(names, all[bit])
		default:
			names = append(names, strconv.Itoa(bit))
		}
	}
	return names
}

// capabilities in the order of include/uapi/linux/capability.h.
func capabilities() []string {
	return strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
		NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE
		SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE
		AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`)
}

// listening are the sockets at which a process waits for others.
func listening(p *report.Process) []string {
	if p.FDs == nil {
		return nil
	}
	var list []string
	for _, s := range p.FDs.Sockets {
		if at := s.Protocol + " " + s.Local; waits(s.State, s.Protocol, s.Remote) && s.Local != "" && !slices.Contains(list, at) {
			list = append(list, at)
		}
	}
	return list
}
