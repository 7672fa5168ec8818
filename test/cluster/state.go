package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// state is cluster.json: what tests may know of a running cluster. Process IDs and paths are the machine's unless said
// otherwise.
type state struct {
	Kubeconfig   string      `json:"kubeconfig"`
	APIServer    string      `json:"apiserver"`
	ControlPlane []daemon    `json:"controlPlane"`
	Nodes        []nodeState `json:"nodes"`
}

type nodeState struct {
	Name             string `json:"name"`
	IP               string `json:"ip"`
	Netns            string `json:"netns"`
	InitPID          int    `json:"initPID"`
	ContainerdPID    int    `json:"containerdPID"`
	KubeletPID       int    `json:"kubeletPID"`
	ContainerdSocket string `json:"containerdSocket"` // as the node sees it
	CgroupRoot       string `json:"cgroupRoot"`
	Snapshotter      string `json:"snapshotter"`
	Root             string `json:"root"` // the node's root directory, without what is mounted on it
	StaticPodPath    string `json:"staticPodPath"`
	InitLog          string `json:"initLog"`
	ContainerdLog    string `json:"containerdLog"`
	KubeletLog       string `json:"kubeletLog"`

	// For a virtual machine, which has no process IDs and paths of this machine besides.
	VM *vmState `json:"vm,omitempty"`
}

func (s state) save(l layout) error {
	encoded, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("failed to encode the cluster's state: %w", err)
	}
	// Another command may read it at this very moment: it appears whole.
	next := l.state() + ".new"
	if err := write(next, append(encoded, '\n')); err != nil {
		return err
	}
	if err := os.Rename(next, l.state()); err != nil {
		return fmt.Errorf("failed to replace %q: %w", l.state(), err)
	}
	return nil
}

func loadState(l layout) (state, error) {
	encoded, err := os.ReadFile(l.state())
	if err != nil {
		return state{}, fmt.Errorf("failed to find a cluster in %q: `cluster up --dir %s` first: %w", l.dir, l.dir, err)
	}
	var s state
	if err := json.Unmarshal(encoded, &s); err != nil {
		return state{}, fmt.Errorf("failed to decode %q: %w", l.state(), err)
	}
	return s, nil
}

// component finds a program of the control plane.
func (s state) component(name string) (*daemon, error) {
	var names []string
	for i := range s.ControlPlane {
		if s.ControlPlane[i].Name == name {
			return &s.ControlPlane[i], nil
		}
		names = append(names, s.ControlPlane[i].Name)
	}
	return nil, fmt.Errorf("failed to find component %q: there are %s", name, strings.Join(names, ", "))
}

func (s state) node(name string) (nodeState, error) {
	var names []string
	for _, n := range s.Nodes {
		if n.Name == name {
			return n, nil
		}
		names = append(names, n.Name)
	}
	return nodeState{}, fmt.Errorf("failed to find node %q: there are %s", name, strings.Join(names, ", "))
}
