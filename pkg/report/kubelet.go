package report

// Kubelet is the node's kubelet as a process.
type Kubelet struct {
	PID int `json:"pid"`
	// RootDir is its --root-dir, "/var/lib/kubelet" where none is given.
	RootDir string `json:"rootDir"`
	// CPUPercent is its use of one core over SampleMillis, in percent; nil: it
	// could not be read twice.
	CPUPercent   *float64 `json:"cpuPercent,omitempty"`
	SampleMillis int64    `json:"sampleMillis,omitempty"`
	RSSBytes     int64    `json:"rssBytes,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}
