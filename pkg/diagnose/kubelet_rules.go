package diagnose

import "fmt"

const (
	// hotAlone is how many times the floor counts where no neighbour tells.
	hotAlone = 3
	// floodLines is what a flood consists of at least: less is a burst.
	floodLines = 300
)

func hotCPU() Threshold {
	return Threshold{Name: KubeletHot + ".cpu", Unit: Percent, Default: 150, Min: 1, Max: 100_000, Means: "of one core: the kubelet or the runtime's daemon is hot from here on"}
}

func hotMemory() Threshold {
	return ofBytes(KubeletHot, "memory", 2<<30, "of the kubelet or the runtime's daemon: it is large from here on")
}

func hotRatio() Threshold {
	return atLeast(KubeletHot, "ratio", 4, "times the median of other nodes: a finding")
}

func floodRate() Threshold {
	return Threshold{Name: KubeletLogFlood + ".rate", Unit: PerSecond, Default: 10, Min: 0.1, Max: 1e6, Means: "lines of one pattern, of warnings or errors: a finding"}
}

func knownLines() Threshold {
	return atLeast(KubeletLog, "lines", 5, "of one kind within the time that is read: a finding")
}

func kubeletHotRule() Rule {
	return Rule{ID: KubeletHot, find: kubeletHot,
		Title:      "the kubelet or the runtime's daemon uses far more than on other nodes",
		Thresholds: []Threshold{hotCPU(), hotMemory(), hotRatio()},
		Page: Page{
			Means: "A kubelet uses some percent of a core and some hundred megabytes. One that uses many times as much does something again and again: it tries to unmount what is held, or reads a mount table of thousands of lines.",
			Computed: []string{
				"The CPU of the process between two looks (utime and stime), and its resident size. From {cpu} of one core or {memory} on, and {ratio} times the median of other nodes, it is a finding.",
				"Other nodes are up to 12 ready ones, those with as many CPUs and the same version first. Their kubelets tell it by their own metrics (process_cpu_seconds_total twice, process_resident_memory_bytes); of runtimes only those that the kubelet measures as a system container are compared.",
				fmt.Sprintf("Where no other node tells, or none was asked as by checkup, %d times {cpu} or {memory} are.", hotAlone),
			},
			Source: []string{"/proc/PID/stat; nodes/NAME/proxy/metrics and stats/summary through the API server"},
			Do: []string{
				"kubectl nodedoc kubelet NODE --profile 10s says what it does; its log says why.",
				"Where it unmounts, kubectl nodedoc mounts NODE --leaked names who holds the mounts.",
			},
			Fooled: []string{
				"A sample of seconds: pods that start or end just now are work for the kubelet. Look again, by --interval 30s.",
				"A node with many more pods than its neighbours does more.",
			},
		}}
}

func kubeletLogFloodRule() Rule {
	return Rule{ID: KubeletLogFlood, find: kubeletLogFlood,
		Title:      "a log is flooded by one kind of line",
		Thresholds: []Threshold{floodRate()},
		Page: Page{
			Means: "The kubelet, the runtime or the kernel says the same thing many times a second. That costs CPU and disk, rotates away what was said before, and is mostly something that is tried again and again.",
			Computed: []string{
				fmt.Sprintf("Lines are grouped by what is left of them without numbers, names and paths. {rate} of the pattern with the most lines, of warnings or errors, and %d lines of it, are a finding.", floodLines),
				"The rate is over the time that the lines cover, which is shorter than was asked for where not all could be read.",
			},
			Source: []string{"the journal's files (https://systemd.io/JOURNAL_FILE_FORMAT), else log files; the kernel's log by syslog(2)"},
			Do:     []string{"kubectl nodedoc kubelet NODE shows the pattern, its newest line and what it means."},
			Fooled: []string{"journald drops lines beyond RateLimitBurst: there may be more than are counted."},
		}}
}

func kubeletLogRule() Rule {
	return Rule{ID: KubeletLog, find: kubeletLog,
		Title:      "the kubelet or the runtime repeats what a healthy node does not say",
		Thresholds: []Threshold{knownLines()},
		Page: Page{
			Means: "Among the lines of the last minutes are some that are known: a volume that cannot be unmounted (GetDeviceMountRefs), a PLEG that is not healthy, orphaned pods, pods without a sandbox, expired certificates, limits that are reached. The finding says which.",
			Computed: []string{
				"Lines are compared with a list of known ones by the words in them. {lines} of one kind are a finding where they also come at that kind's rate, between one in ten minutes (image garbage collection) and five a minute (deadlines).",
				"The kernel's lines are explained and counted, and are no finding of this rule: others read them.",
			},
			Source: []string{"the journal's files (https://systemd.io/JOURNAL_FILE_FORMAT), else log files"},
			Do:     []string{"kubectl nodedoc kubelet NODE shows the newest line of each, what it means and the command that shows more."},
			Fooled: []string{
				"What was said before the trouble ended is still there for some minutes: look at the time of the newest line.",
				"A line's words may differ in versions that are not known yet.",
			},
		}}
}
