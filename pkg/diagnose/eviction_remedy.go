package diagnose

import (
	"fmt"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// setKubelet is how to give the kubelet a setting: by the flag that is there, since
// it counts more than any file, else in its file.
func setKubelet(n *correlate.Node, flag, field, value string) []Step {
	step := Step{Do: fmt.Sprintf("set %s: %s in the kubelet's configuration, beside what else stands there (an evictionHard of your own replaces all defaults)", field, value)}
	if k := n.Report.Kubelet; k != nil {
		switch _, given := k.Flags[flag]; {
		case given:
			step.Do = fmt.Sprintf("set %s: %s; on this node the flag --%s of the kubelet's command line decides, and replaces what its file says", field, value, flag)
		case len(k.Configs) > 0 && !k.Configs[0].DropIn && k.Configs[0].Path != "k3s":
			step.Do = fmt.Sprintf("set %s: %s in %s on the node, beside what else stands there (an evictionHard of your own replaces all defaults)", field, value, k.Configs[0].Path)
		}
	}
	return []Step{step, {Do: "and, on the node", Run: "systemctl restart kubelet"}, {Do: "see that it is in force", Run: configzCommand(n)}}
}

func configzCommand(n *correlate.Node) string {
	if !shellSafe(n.Name()) {
		return ""
	}
	return fmt.Sprintf("kubectl get --raw /api/v1/nodes/%s/proxy/configz", n.Name())
}

func quantity(bytes uint64) string { return fmt.Sprintf("%dMi", bytes>>20) }
