package diagnose

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func serversSummary(servers []*waitedServer) string {
	threads := 0
	for _, s := range servers {
		threads += s.threads
	}
	who := fmt.Sprintf("%s %s", english.Plural(threads, "thread", ""), wait(threads))
	switch s := servers[0]; {
	case len(servers) > 1:
		return fmt.Sprintf("%s for %d servers of filesystems: %s and %s", who, len(servers), s.title(), english.Plural(len(servers)-1, "more", "more"))
	case s.silent != nil:
		return fmt.Sprintf("%s does not respond: %s for it", s.title(), who)
	default:
		return fmt.Sprintf("%s for %s", who, s.title())
	}
}

// title: "NFS server nas.example.com".
func (s *waitedServer) title() string { return strings.TrimPrefix(s.waitsFor, "the ") + " " + s.name }

func (s *waitedServer) waits() string {
	text := fmt.Sprintf("%s: %s of %s %s", s.title(), english.Plural(s.threads, "thread", ""), ownersNamed(s.owners), wait(s.threads))
	if s.silent != nil && s.said != nil {
		text += fmt.Sprintf("; the kernel's log says \"not responding\", first %s ago, last %s ago, no \"OK\" since", humanSpan(*s.silent), humanSpan(*s.said))
	}
	return text
}

func ownersNamed(owners []correlate.Owner) string {
	names := make([]string, 0, holdersNamedMax+1)
	for _, o := range owners[:min(len(owners), holdersNamedMax)] {
		names = append(names, o.Name())
	}
	if more := len(owners) - holdersNamedMax; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return english.WordSeries(names, "and")
}

// mounted are the volumes that come from it, and the pods that will wait once they
// touch these.
func (s *waitedServer) mounted(n *correlate.Node) (lines []string) {
	volumes := n.Mounts().Volumes
	left := 0
	for i := range volumes {
		v := &volumes[i]
		if correlate.ServerOf(v.Type, v.Source) != s.name {
			continue
		}
		if len(lines) == holdersNamedMax {
			left++
			continue
		}
		line := "volume " + v.Name + " (" + v.Source + ") is mounted from it"
		if len(v.Pods) > 0 {
			line += ", used by " + ownersNamed(v.Pods)
		}
		lines = append(lines, line)
	}
	if left > 0 {
		lines = append(lines, "and "+english.Plural(left, "more volume", ""))
	}
	return lines
}

// waitsOn is which server it is, the volume, and what the kernel's log says of it.
func waitsOn(row correlate.BlockedRow) string {
	text := ""
	if row.Server != "" {
		text = " " + row.Server
	}
	if len(row.Volumes) > 0 {
		text += " (volume " + strings.Join(row.Volumes, " or ") + ")"
	}
	if row.SilentSeconds != nil {
		text += ", which has not responded for " + humanSpan(*row.SilentSeconds) + " by the kernel's log"
	}
	return text
}

func humanSpan(seconds float64) string {
	const most = 10 * 365 * 24 * 3600
	return duration.HumanDuration(time.Duration(min(seconds, most) * float64(time.Second)))
}
