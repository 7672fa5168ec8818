package report

// Names of what logs.
const (
	LogKubelet = "kubelet"
	LogRuntime = "runtime" // the container runtime's daemons
	LogKernel  = "kernel"
)

// Logs are the last lines that the kubelet, the runtimes and the kernel have logged,
// as they stand: the client groups them.
type Logs struct {
	// Since is the beginning of the time asked for, Until when it was read: microseconds
	// since 1970 by the node's clock.
	Since   int64       `json:"since"`
	Until   int64       `json:"until"`
	Sources []LogSource `json:"sources,omitempty"`
	// Blobs are texts that the node has compressed, each once: LogLine.Blobs indexes them.
	Blobs []LogBlob `json:"blobs,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// LogSource is one log.
type LogSource struct {
	Name string `json:"name"`
	// Where it was read: "journal", "kernel log", or a file's path.
	Where string `json:"where"`
	// Lines of the time asked for, the newest first. Of a file they are its last ones, of
	// whatever time.
	Lines []LogLine `json:"lines,omitempty"`
	// Left counts older lines of that time that are not here, by a bound.
	Left int `json:"left,omitempty"`
	// Written is when a file was written last, seconds since 1970: its lines need not say
	// in which zone their times are.
	Written int64 `json:"written,omitempty"`
	// Cut: the file has more before its first line here.
	Cut bool `json:"cut,omitempty"`
}

// LogLine is one message.
type LogLine struct {
	// At is microseconds since 1970 by the node's clock; 0: its text may say.
	At int64 `json:"at,omitempty"`
	// Priority is that of syslog(3), 0 emergency … 7 debug; nil: not said.
	Priority *int   `json:"priority,omitempty"`
	Text     string `json:"text,omitempty"`
	// Blobs are there in place of Text: one of them holds it, behind "MESSAGE=".
	Blobs []int `json:"blobs,omitempty"`
}

// Compressions of a LogBlob.
const (
	CompressionXZ   = "xz"
	CompressionLZ4  = "lz4" // a block, behind its length in 64 bits
	CompressionZstd = "zstd"
)

// LogBlob is the payload of a data object of systemd's journal.
type LogBlob struct {
	Compression string `json:"compression"`
	Data        []byte `json:"data"`
}
