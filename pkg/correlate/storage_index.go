package correlate

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// storageIndex finds what the API server says of volumes. Nil: it was not asked.
type storageIndex struct {
	*inventory.Storage
	byName   map[string]*inventory.PersistentVolume
	byHandle map[driverHandle][]*inventory.PersistentVolume
	byHash   map[driverHandle]*inventory.PersistentVolume // by the handle's SHA-256
	attaches map[string]bool                              // by CSI driver
	attached map[string]*inventory.Attachment             // of this node, by PersistentVolume and by name
	users    map[string][]*inventory.Pod                  // of this node, by PersistentVolume
	// unresolved is a pod that waits for a claim that no PersistentVolume names.
	unresolved bool
}

type driverHandle struct{ driver, handle string }

func (n *Node) storageIndex() *storageIndex {
	if n.Inventory == nil || n.Inventory.Storage == nil {
		return nil
	}
	s := &storageIndex{Storage: n.Inventory.Storage, byName: map[string]*inventory.PersistentVolume{}, byHandle: map[driverHandle][]*inventory.PersistentVolume{},
		attaches: map[string]bool{}, attached: map[string]*inventory.Attachment{}, users: map[string][]*inventory.Pod{}}
	for i := range s.PersistentVolumes {
		v := &s.PersistentVolumes[i]
		s.byName[v.Name] = v
		if v.Handle != "" {
			key := driverHandle{v.Driver, v.Handle}
			s.byHandle[key] = append(s.byHandle[key], v)
			if inTree, ok := strings.CutPrefix(v.Driver, "kubernetes.io/"); ok { // by its directory's name
				key = driverHandle{inTree, path.Base(v.Handle)}
				s.byHandle[key] = append(s.byHandle[key], v)
			}
		}
	}
	for _, d := range s.Drivers {
		s.attaches[d.Name] = d.Attaches
	}
	for i := range s.Attachments {
		if a := &s.Attachments[i]; a.Node == n.Inventory.Node {
			s.attached[a.Name] = a
			if a.Volume != "" {
				s.attached[a.Volume] = a
			}
		}
	}
	s.addUsers(n.Inventory)
	return s
}

func (s *storageIndex) addUsers(inv *inventory.Inventory) {
	for _, pods := range [][]inventory.Pod{inv.Pods, inv.Departed} {
		for i := range pods {
			for _, v := range pods[i].Volumes {
				switch {
				case v.PersistentVolume != "":
					s.users[v.PersistentVolume] = append(s.users[v.PersistentVolume], &pods[i])
				case v.Claim != "" && !pods[i].Ended():
					s.unresolved = true
				}
			}
		}
	}
}

// hashed finds the PersistentVolume whose staging directory is named after the
// SHA-256 of its handle.
func (s *storageIndex) hashed(driver, hash string) *inventory.PersistentVolume {
	if s.byHash == nil {
		s.byHash = map[driverHandle]*inventory.PersistentVolume{}
		for i := range s.PersistentVolumes {
			v := &s.PersistentVolumes[i]
			sum := sha256.Sum256([]byte(v.Handle))
			s.byHash[driverHandle{v.Driver, hex.EncodeToString(sum[:])}] = v
		}
	}
	return s.byHash[driverHandle{driver, hash}]
}

// oneOf is one name for all PersistentVolumes of a disk or share: static ones may
// have one handle, and the kubelet stages them as one.
func (s *storageIndex) oneOf(name string) string {
	if s == nil || s.byName[name] == nil {
		return name
	}
	if same := s.byHandle[driverHandle{s.byName[name].Driver, s.byName[name].Handle}]; len(same) > 0 {
		return same[0].Name
	}
	return name
}

// named finds a PersistentVolume by its name, or by its driver and handle:
// several may stand for one disk, and one that was made anew may have another's
// name.
func (s *storageIndex) named(name, driver, handle string) []*inventory.PersistentVolume {
	var found []*inventory.PersistentVolume
	if v := s.byName[name]; v != nil && (v.Driver != driver || handle == "" || v.Handle == handle) {
		found = append(found, v)
	}
	if handle != "" {
		found = append(found, s.byHandle[driverHandle{driver, handle}]...)
	}
	return found
}
