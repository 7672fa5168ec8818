package report

// Runtime is what the container runtimes have on the node, by their own files, and
// what is left of containers and pods that are no more. Containers tells their names.
type Runtime struct {
	Daemons []RuntimeDaemon `json:"daemons,omitempty"`
	// Programs are the low-level runtimes whose versions can be told.
	Programs []RuntimeProgram `json:"programs,omitempty"`
	// Tasks are containers with a directory in a runtime's state, running or not.
	Tasks []RuntimeTask `json:"tasks,omitempty"`
	// PodDirs are the directories below the kubelet's pods.
	PodDirs []string `json:"podDirs,omitempty"`
	// PodCgroups are the cgroups of pods.
	PodCgroups []PodCgroup `json:"podCgroups,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// RuntimeDaemon is a runtime's daemon by its socket.
type RuntimeDaemon struct {
	Name   string `json:"name"` // containerd, docker, cri-o, cri-dockerd
	Socket string `json:"socket"`
	// AnswerMillis is the time to the first byte of an answer to a greeting that asks
	// for nothing; nil: there was none, Error says why.
	AnswerMillis *int64 `json:"answerMillis,omitempty"`
	Error        string `json:"error,omitempty"`
}

// RuntimeProgram is a low-level runtime on the node's disk.
type RuntimeProgram struct {
	Name    string `json:"name"` // runc
	Path    string `json:"path"`
	Version string `json:"version"`
	// Source is the file that tells: the program itself, or a package manager's.
	Source string `json:"source"`
}

// States of a task.
const (
	TaskCreated = "created" // its first process waits for the start (exec.fifo)
	TaskRunning = "running"
	TaskStopped = "stopped" // its first process has ended
)

// RuntimeTask is a container as the low-level runtime (runc, crun) has it.
type RuntimeTask struct {
	ID string `json:"id"`
	// PID is its first process's, 0 where no file says.
	PID int `json:"pid,omitempty"`
	// State is one of the above; "": that cannot be told.
	State string `json:"state,omitempty"`
	// Created is seconds since 1970 by the node's clock, 0 where no file says.
	Created int64  `json:"created,omitempty"`
	Source  string `json:"source"`
}

// PodCgroup is the cgroup of a pod.
type PodCgroup struct {
	// Path from the root of its hierarchy tells the pod's UID.
	Path string `json:"path"`
	// Populated: a process lives in it or below.
	Populated bool `json:"populated,omitempty"`
}
