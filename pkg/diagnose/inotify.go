package diagnose

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func inotifyWarning(rule string) Threshold {
	return warningAt(rule, "of a user's allowance in use").upTo(inotifyCritical(rule))
}
func inotifyCritical(rule string) Threshold {
	return criticalAt(rule, "of the allowance of root (uid 0) in use")
}

func inotifyInstancesRule() Rule {
	return Rule{
		ID: InotifyInstances, find: inotifyInstances,
		Title:      "a user's inotify instances run out",
		Thresholds: []Threshold{inotifyWarning(InotifyInstances), inotifyCritical(InotifyInstances)},
		Page: Page{
			Means:    "Each user of the host may have so many inotify instances, and root of all containers without a user namespace is one user with the kubelet and the runtime. Beyond that inotify_init fails with EMFILE, \"too many open files\", which reads like a lack of descriptors and is none: kubectl logs -f and programs that watch their configuration fail.",
			Computed: inotifyComputed("Instances", "fs.inotify.max_user_instances"),
			Source:   []string{"inotify(7): /proc interfaces; /proc/sys/fs/inotify/max_user_instances; links to anon_inode:inotify in /proc/PID/fd"},
			Do:       inotifyDo("fs.inotify.max_user_instances"),
			Fooled:   inotifyFooled(),
		},
	}
}

func inotifyWatchesRule() Rule {
	return Rule{
		ID: InotifyWatches, find: inotifyWatches,
		Title:      "a user's inotify watches run out",
		Thresholds: []Threshold{inotifyWarning(InotifyWatches), inotifyCritical(InotifyWatches)},
		Page: Page{
			Means:    "Each user of the host may watch so many files and directories, all pods and daemons of this user together. Beyond that inotify_add_watch fails with ENOSPC, \"no space left on device\", which reads like a full disk and is none.",
			Computed: inotifyComputed("Watches", "fs.inotify.max_user_watches"),
			Source:   []string{"inotify(7): /proc interfaces; /proc/sys/fs/inotify/max_user_watches; lines \"inotify wd:\" of /proc/PID/fdinfo/FD"},
			Do:       inotifyDo("fs.inotify.max_user_watches"),
			Fooled:   inotifyFooled(),
		},
	}
}

func inotifyComputed(what, sysctl string) []string {
	return []string{what + " of all processes of a user against " + sysctl + ": {warning} or more are a finding, named after who holds most. It is critical from {critical} on where the user is root."}
}

func inotifyDo(sysctl string) []string {
	return []string{"Stop who holds most for nothing, such as a file watcher over a whole tree.", "Or allow more, by sysctl -w " + sysctl + ": a watch costs the kernel about a kilobyte, once it is used."}
}

func inotifyFooled() []string {
	return []string{
		"A fork shares its parent's instances, and then both count: more than the limit can be told.",
		"In light processes they are sought last, and within a bound: what the report could not look into is among its gaps.",
		"In a user namespace of its own a container has a further limit, of that namespace, which is not seen here.",
	}
}

// inotifyInstances: beyond fs.inotify.max_user_instances inotify_init fails with
// EMFILE, which reads like a lack of descriptors and is none.
func inotifyInstances(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	return inotifyFindings(n, limits, InotifyInstances, inotifyResource{"instances", "fs.inotify.max_user_instances", `inotify_init fails with "too many open files" (EMFILE)`,
		func(u correlate.InotifyUse) (int, *uint64) { return u.Instances, u.MaxInstances },
		func(h correlate.InotifyHolder) int { return h.Instances }})
}

// inotifyWatches: beyond fs.inotify.max_user_watches inotify_add_watch fails with
// ENOSPC, which reads like a full disk and is none.
func inotifyWatches(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	return inotifyFindings(n, limits, InotifyWatches, inotifyResource{"watches", "fs.inotify.max_user_watches", `inotify_add_watch fails with "no space left on device" (ENOSPC)`,
		func(u correlate.InotifyUse) (int, *uint64) { return u.Watches, u.MaxWatches },
		func(h correlate.InotifyHolder) int { return h.Watches }})
}

type inotifyResource struct {
	name, sysctl, failure string
	used                  func(correlate.InotifyUse) (int, *uint64)
	held                  func(correlate.InotifyHolder) int
}

func inotifyFindings(n *correlate.Node, limits Thresholds, rule string, what inotifyResource) []Finding {
	var findings []Finding
	for _, u := range n.Inotify() {
		used, limit := what.used(u)
		if limit == nil || *limit == 0 || used < 0 || len(findings) == ownersNamedMax {
			continue
		}
		percent := 100 * float64(used) / float64(*limit)
		if percent < limits.In(inotifyWarning(rule)) {
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
		if percent >= limits.In(inotifyCritical(rule)) && u.UID == 0 {
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
