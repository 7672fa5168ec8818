package diagnose

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// inotifyInstances: beyond fs.inotify.max_user_instances inotify_init fails with
// EMFILE, which reads like a lack of descriptors and is none.
func inotifyInstances(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	return inotifyFindings(n, inotifyResource{"instances", "fs.inotify.max_user_instances", `inotify_init fails with "too many open files" (EMFILE)`,
		func(u correlate.InotifyUse) (int, *uint64) { return u.Instances, u.MaxInstances },
		func(h correlate.InotifyHolder) int { return h.Instances }})
}

// inotifyWatches: beyond fs.inotify.max_user_watches inotify_add_watch fails with
// ENOSPC, which reads like a full disk and is none.
func inotifyWatches(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	return inotifyFindings(n, inotifyResource{"watches", "fs.inotify.max_user_watches", `inotify_add_watch fails with "no space left on device" (ENOSPC)`,
		func(u correlate.InotifyUse) (int, *uint64) { return u.Watches, u.MaxWatches },
		func(h correlate.InotifyHolder) int { return h.Watches }})
}

type inotifyResource struct {
	name, sysctl, failure string
	used                  func(correlate.InotifyUse) (int, *uint64)
	held                  func(correlate.InotifyHolder) int
}

func inotifyFindings(n *correlate.Node, what inotifyResource) []Finding {
	var findings []Finding
	for _, u := range n.Inotify() {
		used, limit := what.used(u)
		if limit == nil || *limit == 0 || used < 0 || len(findings) == descriptorsPerFindingMax {
			continue
		}
		percent := 100 * float64(used) / float64(*limit)
		if percent < limitWarning {
			continue
		}
		holders := slices.Clone(u.Holders)
		slices.SortStableFunc(holders, func(a, b correlate.InotifyHolder) int { return cmp.Compare(what.held(b), what.held(a)) })
		f := Finding{Severity: Warning, Subject: &holders[0].Owner,
			Summary: fmt.Sprintf("user %s has %.0f %% of the inotify %s that a user may have: %s", userTitle(u), percent, what.name, what.failure),
			Evidence: []string{fmt.Sprintf("%s of %s %s (%s), by all pods and daemons of this user together",
				humanize.Comma(int64(used)), humanize.Comma(int64(min(*limit, 1<<62))), what.name, what.sysctl)},
			Remedy: []Step{{Do: "stop who holds most for nothing, or allow more, on the node", Run: fmt.Sprintf("sysctl -w %s=%d", what.sysctl, 2**limit)}}}
		// The kubelet, the runtime and every container's root are user 0.
		if percent >= limitCritical && u.UID == 0 {
			f.Severity = Critical
		}
		if uint64(used) > *limit {
			f.Evidence[0] += "; forks share them and count more than once"
		}
		for _, h := range holders[:min(holdersNamedMax, len(holders))] {
			if count := what.held(h); count > 0 {
				f.Evidence = append(f.Evidence, fmt.Sprintf("%s holds %s, e.g. process %d (%s)", Title(h.Owner), humanize.Comma(int64(count)), h.Heaviest.PID, h.Heaviest.Comm))
			}
		}
		findings = append(findings, f)
	}
	return findings
}

func userTitle(u correlate.InotifyUse) string {
	if u.User == fmt.Sprint(u.UID) {
		return "with uid " + u.User
	}
	return fmt.Sprintf("%s (uid %d)", u.User, u.UID)
}
