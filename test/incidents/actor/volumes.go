//go:build linux

package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/nodedoc/kubectl-nodedoc/test/incidents/loopvol"
)

// removeLoops removes free loop devices from a number on.
func removeLoops(from string) error {
	first, err := strconv.Atoi(from)
	if err != nil {
		return fmt.Errorf("bad number %q", from)
	}
	return loopvol.RemoveDevices(first)
}

// volumes mounts those that stdin lists.
func volumes(template string) error { return loopvol.Make(template, os.Stdin) }
