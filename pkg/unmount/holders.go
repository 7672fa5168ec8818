package unmount

import (
	"bufio"
	"fmt"

	"github.com/dustin/go-humanize/english"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// holders says who else has the leaked volumes mounted: an umount on the host
// reaches a namespace that receives it, and no other.
func holders(b *bufio.Writer, volumes []correlate.Volume) {
	type holder struct {
		owner correlate.Owner
		entry string
	}
	var order []holder
	held := map[holder]int{}
	for _, v := range volumes {
		if v.Leaked == 0 {
			continue
		}
		for _, h := range v.Holders {
			key := holder{h.Owner, h.Entry}
			if held[key] == 0 {
				order = append(order, key)
			}
			held[key]++
		}
	}
	if len(order) == 0 {
		return
	}
	fmt.Fprintln(b)
	comment(b, "In other mount namespaces, where an umount here may not reach:")
	for _, h := range order {
		who := h.owner.Name()
		if h.owner.Container != "" {
			who += ", container " + h.owner.Container
		}
		comment(b, fmt.Sprintf("  %s has %s at %s", who, english.Plural(held[h], "of these volumes", "of these volumes"), h.entry))
		if o := h.owner; o.Type == correlate.OwnerPod && o.PodState == correlate.PodKnown &&
			len(validation.IsDNS1123Label(o.Namespace)) == 0 && len(validation.IsDNS1123Subdomain(o.Pod)) == 0 {
			comment(b, fmt.Sprintf("    if devices stay: kubectl delete pod -n %s %s", o.Namespace, o.Pod))
		}
	}
}
