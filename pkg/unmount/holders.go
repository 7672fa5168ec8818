package unmount

import (
	"bufio"
	"fmt"

	"github.com/dustin/go-humanize/english"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// holders says who else keeps the leaked volumes' devices: in a mount namespace that
// an umount on the host does not reach. Volumes of which only copies are leaked stay
// mounted, and who has these is to be left alone.
func holders(b *bufio.Writer, volumes []correlate.Volume) {
	type place struct {
		owner correlate.Owner
		entry string
	}
	var order []correlate.Owner
	entries, held := map[correlate.Owner][]string{}, map[place]int{}
	for _, v := range volumes {
		if v.Leaked == 0 || v.State != correlate.VolumeLeaked {
			continue
		}
		for _, h := range v.Holders {
			if h.Namespace == 0 || !h.Private {
				continue
			}
			if entries[h.Owner] == nil {
				order = append(order, h.Owner)
			}
			at := place{h.Owner, h.Entry}
			if held[at]++; held[at] == 1 {
				entries[h.Owner] = append(entries[h.Owner], h.Entry)
			}
		}
	}
	if len(order) == 0 {
		return
	}
	fmt.Fprintln(b)
	comment(b, "In other mount namespaces, which an umount here does not reach:")
	for _, o := range order {
		who := o.Name()
		if o.Container != "" {
			who += ", container " + o.Container
		}
		for _, entry := range entries[o] {
			comment(b, fmt.Sprintf("  %s has %s at %s", who, english.Plural(held[place{o, entry}], "of these volumes", "of these volumes"), entry))
		}
		if o.Type == correlate.OwnerPod && o.PodState == correlate.PodKnown &&
			len(validation.IsDNS1123Label(o.Namespace)) == 0 && len(validation.IsDNS1123Subdomain(o.Pod)) == 0 {
			comment(b, fmt.Sprintf("    if devices stay: kubectl delete pod -n %s %s", o.Namespace, o.Pod))
		}
	}
}
