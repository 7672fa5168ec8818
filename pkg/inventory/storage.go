package inventory

// Storage is what the API server says of volumes, in the whole cluster. Each
// list is complete unless its error says why it could not be had.
type Storage struct {
	PersistentVolumes []PersistentVolume `json:"persistentVolumes,omitempty"`
	VolumesError      string             `json:"volumesError,omitempty"`
	Attachments       []Attachment       `json:"attachments,omitempty"`
	AttachmentsError  string             `json:"attachmentsError,omitempty"`
	// Drivers are the CSIDriver objects.
	Drivers      []Driver `json:"drivers,omitempty"`
	DriversError string   `json:"driversError,omitempty"`
}

// PersistentVolume is what the join needs of one.
type PersistentVolume struct {
	Name string `json:"name"`
	// Driver is the CSI driver, or the in-tree plugin, "kubernetes.io/nfs".
	Driver string `json:"driver,omitempty"`
	// Handle is CSI's volumeHandle; the kubelet's staging directory is named
	// after its SHA-256. Of an in-tree plugin that attaches, it is the disk's name.
	Handle string `json:"handle,omitempty"`
	Phase  string `json:"phase,omitempty"`
	// Claim is "namespace/name" of the claim that it is bound to.
	Claim string `json:"claim,omitempty"`
}

// Attachment is a VolumeAttachment of a PersistentVolume.
type Attachment struct {
	// Name is what vol_data.json has for attachmentID.
	Name     string `json:"name,omitempty"`
	Node     string `json:"node"`
	Volume   string `json:"volume,omitempty"` // "" for a pod's own, migrated from in-tree
	Driver   string `json:"driver,omitempty"`
	Attached bool   `json:"attached,omitempty"`
	// DetachError is the last one.
	DetachError string `json:"detachError,omitempty"`
}

// Driver is a CSIDriver.
type Driver struct {
	Name string `json:"name"`
	// Attaches: a volume needs a VolumeAttachment (spec.attachRequired).
	Attaches bool `json:"attaches"`
}

// Volume is a volume of a pod.
type Volume struct {
	Name string `json:"name"`
	// Claim is that of a persistentVolumeClaim, or of an ephemeral volume, in the
	// pod's namespace; PersistentVolume the one it is bound to.
	Claim            string `json:"claim,omitempty"`
	PersistentVolume string `json:"persistentVolume,omitempty"`
	HostPath         string `json:"hostPath,omitempty"`
	// Driver is that of an inline CSI volume.
	Driver string `json:"driver,omitempty"`
}

// VolumeMount is where a container has a volume.
type VolumeMount struct {
	// List is where the pod's spec has the container: containers, initContainers
	// or ephemeralContainers.
	List      string `json:"list,omitempty"`
	Container string `json:"container"`
	Volume    string `json:"volume"`
	Path      string `json:"path"`
	// Propagation is None, HostToContainer or Bidirectional.
	Propagation string `json:"propagation,omitempty"`
	ReadOnly    bool   `json:"readOnly,omitempty"`
}
