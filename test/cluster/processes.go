package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// processes lists the process IDs of the machine.
func processes() ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("failed to list the processes: %w", err)
	}
	var pids []int
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// status is the part of /proc/PID/stat that matters here:
//
//	1234 (name of program) S 1 ...
//	      command          state parent
type status struct {
	command string
	state   string
	parent  int
}

func readStatus(pid int) (status, error) {
	line, err := os.ReadFile(procFile(pid, "stat"))
	if err != nil {
		return status{}, err
	}
	return parseStatus(string(line))
}

func parseStatus(line string) (status, error) {
	// The name may contain anything, parentheses as well.
	opening, closing := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if opening < 0 || closing < opening {
		return status{}, fmt.Errorf("failed to parse process status %q", line)
	}
	fields := strings.Fields(line[closing+1:])
	if len(fields) < 2 {
		return status{}, fmt.Errorf("failed to parse process status %q", line)
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return status{}, fmt.Errorf("failed to parse process status %q: %w", line, err)
	}
	return status{command: line[opening+1 : closing], state: fields[0], parent: parent}, nil
}

// childNamed finds the child of a process by its command name. One that has ended may not be collected yet.
func childNamed(parent int, name string) (int, error) {
	pids, err := processes()
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		if found, err := readStatus(pid); err == nil && found.parent == parent && found.command == name && found.state != "Z" {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("failed to find process %q below process %d", name, parent)
}

func alive(pid int) bool {
	found, err := readStatus(pid)
	return err == nil && found.state != "Z" && found.state != "X"
}

func procFile(pid int, name string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), name)
}
