package diagnose

import (
	"fmt"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// runc 1.0.0-rc93 writes a container's seccomp filter into a pipe of its own, and reads
// it only then: a filter larger than the pipe's capacity blocks it for good, and 2 pages
// are too few for most. 1.0.0-rc94 reads it meanwhile (opencontainers/runc#2871).
const runcHanging, runcCured = "1.0.0-rc93", "1.0.0-rc94"

// runcEvidence is which runc is on the node's disk, and whether it is known to hang so.
func runcEvidence(programs []report.RuntimeProgram) (lines []string) {
	for _, p := range programs {
		line := fmt.Sprintf("%s on the node's disk is %s (%s)", p.Name, p.Version, p.Path)
		if isRunc(p.Version, runcHanging) {
			line += fmt.Sprintf(": this version writes its seccomp filter into a pipe that it reads only then, and hangs where the pipe is small; %s is cured", runcCured)
		}
		lines = append(lines, line)
	}
	return lines
}

// runcCure is what helps for good.
func runcCure(programs []report.RuntimeProgram) Step {
	step := Step{Do: fmt.Sprintf("cure: a newer runc; %s fills a pipe before it reads it, from %s on it reads meanwhile. Raising fs.pipe-user-pages-soft helps pipes that are made from then on", runcHanging, runcCured)}
	if len(programs) == 0 {
		step.Do += ". Which one the node has, on the node:"
		step.Run = "runc --version"
	}
	return step
}

// isRunc: distributions write ~ for -, and append their own: 1.0.0~rc93+ds1-5.
func isRunc(version, wanted string) bool {
	rest, found := strings.CutPrefix(strings.ReplaceAll(version, "~", "-"), wanted)
	return found && (rest == "" || rest[0] < '0' || rest[0] > '9')
}
