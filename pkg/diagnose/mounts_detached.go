package diagnose

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const detachedNamedMax = 5 // devices, and processes

func mountsDetachedRule() Rule {
	return Rule{
		ID: MountsDetached, find: mountsDetached,
		Title: "a filesystem is mounted nowhere, and still in use",
		Page: Page{
			Means: "After umount -l, or with the last mount namespace that had it, a filesystem is mounted nowhere; while a process has a file, a working directory or a mapping in it, the kernel keeps it. Its device cannot be detached, and its kernel threads stay.",
			Computed: []string{
				"A filesystem's directory in sysfs (/sys/fs/ext4, xfs, f2fs, btrfs) is there, and no mount namespace has it: neither at the first look nor a moment later, since an umount that writes back looks alike.",
				"Who has files open there is told by mnt_id of /proc/PID/fdinfo, of which no mount namespace knows. A working directory, root or mapped file would have to be touched: the finding has the command for whoever wants to.",
			},
			Source: []string{"umount2(2): MNT_DETACH; /sys/fs/FSTYPE/DEVICE; proc_pid_fdinfo(5): mnt_id (Linux 3.15)"},
			Do:     []string{"End or restart the process that holds it: the device is free then. Where no process is named, take the look that the finding has."},
			Fooled: []string{
				"Which of several detached filesystems a file lies on nobody can tell: device and process are told side by side.",
				"A mount namespace that no process is in any more, and a file descriptor or a mount of its own keeps, is not read: what is mounted there seems to be mounted nowhere. Such mounts (snapd's) are named.",
				"Filesystems without a directory in sysfs (NFS, FUSE, tmpfs) are not found this way; nor is any on a node that does not see the kernel's threads, as one that is a container itself.",
			},
		},
	}
}

// mountsDetached: a filesystem that is mounted nowhere, and that somebody still
// uses: it keeps its device attached, and its kernel threads.
func mountsDetached(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	if n.Report.Mounts == nil {
		return nil
	}
	d := n.Mounts().Detached
	if d == nil {
		return nil
	}
	f := Finding{Severity: Warning, Summary: detachedSummary(d)}
	for i := range d.Devices[:min(len(d.Devices), detachedNamedMax)] {
		f.Evidence = append(f.Evidence, detachedDevice(&d.Devices[i]))
	}
	held := d.Processes[:min(len(d.Processes), detachedNamedMax)]
	for i, p := range held {
		f.Evidence = append(f.Evidence, fmt.Sprintf("process %d (%s) of %s has %s open on a mount that is nowhere, e.g. %s",
			p.PID, p.Comm, Title(p.Owner), english.Plural(p.Count, "file", ""), p.Path))
		if f.Subject == nil {
			f.Subject = &held[i].Owner
			f.Remedy = append(f.Remedy, Step{Do: "end or restart what holds it; the device is free then", Run: whoisCommand(n, p.PID)})
		}
	}
	if more := len(d.Processes) - len(held); more > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("and %s", english.Plural(more, "more process", "more processes")))
	}
	for _, file := range d.Kept[:min(len(d.Kept), detachedNamedMax)] {
		f.Evidence = append(f.Evidence, file+" keeps a mount namespace that no process lives in: it may be mounted there")
	}
	if len(held) == 0 {
		f.Evidence = append(f.Evidence, "no process has a file open on such a mount: it is somebody's working directory, root or mapped file, which only touching would tell, or an umount that hangs")
	}
	if step, ok := detachedLook(d); ok {
		f.Remedy = append(f.Remedy, step)
	}
	return []Finding{f}
}

func detachedSummary(d *correlate.Detached) string {
	what := fmt.Sprintf("%s on %s is mounted nowhere, and still in use", d.Devices[0].Detached, deviceTitle(&d.Devices[0]))
	if more := len(d.Devices); more > 1 {
		what = fmt.Sprintf("%d filesystems are mounted nowhere, and still in use", more)
	}
	if len(d.Processes) > 0 {
		return what + ": " + Title(d.Processes[0].Owner)
	}
	return what
}

func deviceTitle(d *report.Device) string {
	if d.Name == "" {
		return "device " + d.Number
	}
	return d.Name
}

func detachedDevice(d *report.Device) string {
	text := deviceTitle(d) + " (" + d.Detached
	for _, more := range []string{d.DMName, d.BackingFile} {
		if more != "" {
			text += ", " + more
		}
	}
	text += ")"
	if d.Threads > 0 {
		text += ": " + english.Plural(d.Threads, "kernel thread", "")
	}
	return text
}

// detachedLook is the look that nodedoc does not take: stat(2) of what processes
// are at work on waits for a dead NFS server.
func detachedLook(d *correlate.Detached) (Step, bool) {
	var numbers []string
	for _, dev := range d.Devices[:min(len(d.Devices), detachedNamedMax)] {
		if number, ok := statDevice(dev.Number); ok && dev.Detached != "btrfs" { // has numbers of its own
			numbers = append(numbers, number)
		}
	}
	if len(numbers) == 0 {
		return Step{}, false
	}
	return Step{Do: "find who is at work there, on the node (touches all that processes have open: hangs at a dead NFS, Ctrl-C ends it)",
		Run: "stat -Lc '%D %n' /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/exe /proc/[0-9]*/map_files/* /proc/[0-9]*/fd/* 2>/dev/null | grep -E '^(" + strings.Join(numbers, "|") + ") '"}, true
}

// statDevice is "7:5" as stat's %D has it: glibc's dev_t in hexadecimal.
func statDevice(number string) (string, bool) {
	a, b, _ := strings.Cut(number, ":")
	major, errMajor := strconv.ParseUint(a, 10, 32)
	minor, errMinor := strconv.ParseUint(b, 10, 32)
	dev := minor&0xff | major&0xfff<<8 | minor&^0xff<<12 | major&^0xfff<<32
	return strconv.FormatUint(dev, 16), errMajor == nil && errMinor == nil
}
