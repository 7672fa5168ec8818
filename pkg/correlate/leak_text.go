package correlate

import (
	"fmt"
	"strings"
)

// namedMost bounds how many of a kind a text names.
const namedMost = 3

func (g *judgement) addRoots(list []*containerRoot, copies map[*containerRoot]int) {
	for i, r := range list {
		text := fmt.Sprintf("%s below the root directory of %s, which %s", counted(copies[r], "mount", "mounts"), rootTitle(r), r.Says)
		if i == namedMost {
			text += fmt.Sprintf("; and of %d containers more", len(list)-i-1)
		}
		g.because(r.Why, "%s", text)
		if i == namedMost {
			return
		}
	}
}

func (g *judgement) addPods(j *mountJoin, uids []string) {
	for _, need := range []podNeed{podGone, podStuck} {
		var names []string
		for _, uid := range uids {
			if j.pod(uid) == need {
				names = append(names, podTitle(j.podOwner(uid)))
			}
		}
		if len(names) == 0 {
			continue
		}
		text := strings.Join(names[:min(len(names), namedMost)], ", ")
		if more := len(names) - namedMost; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		if need == podGone {
			g.because(LeakPodGone, "the API has no such pod on this node: %s", text)
		} else {
			g.because(PodTerminating, "Terminating, and more than %d minutes past its grace: %s", StuckAfter/60, text)
		}
	}
}

func podTitle(o *Owner) string {
	if o.Pod == "" {
		return o.PodUID
	}
	return o.Name()
}

func rootTitle(r *containerRoot) string {
	title := "container " + ShortID(r.Key)
	if r.ID != "" {
		title = "container " + ShortID(r.ID)
	}
	switch o := r.Owner; {
	case o.Type == OwnerPod && o.Container != "":
		title += " (" + o.Container + " of " + podTitle(o) + ")"
	case o.Type == OwnerPod:
		title += " (of " + podTitle(o) + ")"
	case o.Container != "":
		title += " (" + o.Container + ")"
	}
	return title
}
