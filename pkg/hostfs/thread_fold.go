package hostfs

import "strings"

// FoldThread gives what kernel threads of one sort have in common: ids, CPUs
// and devices in the name are "*". device is the one in it, if any; cut says
// that the kernel may have cut it short.
//
//	jbd2/vdfiw-8   jbd2/*    vdfiw        ksoftirqd/0      ksoftirqd/*
//	xfsaild/dm-0   xfsaild/* dm-0         kworker/u4:1-ev  kworker/*
//	kdmflush/253:0 kdmflush/* 253:0       kworker/R-netns  kworker/R-*
//	loop0          loop*     loop0        kswapd0          kswapd*
func FoldThread(comm string) (pattern, device string, cut bool) {
	name, rescuer := strings.CutPrefix(comm, "kworker/R-")
	prefix, _, slash := strings.Cut(name, "/")
	switch {
	case rescuer && !slash && ThreadFSType(comm) == "":
		return "kworker/R-*", "", false
	case slash && (prefix == "kworker" || prefix == "irq"):
		return prefix + "/*", "", false
	case !slash:
		return foldNumbers(name, rescuer)
	}
	if rescuer {
		prefix = "kworker/R-" + prefix
	}
	device, cut = named(threadKeys(comm))
	return prefix + "/*", device, cut
}

// named is the device by its surest reading; cut where that may be only the
// beginning of its name.
func named(keys []threadKey) (device string, cut bool) {
	for _, key := range keys {
		switch {
		case key.by == byWorker || key.by == byController:
			return "", false
		case device == "":
			device, cut = key.text, key.by == byPrefix
		case key.text == device && key.by == byPrefix:
			cut = true
		}
	}
	return device, cut
}

// foldNumbers: a name without a slash, in which a number at the end is an id.
func foldNumbers(name string, rescuer bool) (pattern, device string, cut bool) {
	if rescuer {
		return "kworker/R-" + name, "", false
	}
	if of, ok := strings.CutPrefix(name, "f2fs_"); ok {
		if _, number, ok := strings.Cut(of, "-"); ok && isDeviceNumber(number) {
			return name[:len(name)-len(number)] + "*", number, false
		}
	}
	array, doing, ok := strings.Cut(name, "_")
	if id, md := strings.CutPrefix(array, "md"); ok && md && id != "" && strings.Trim(id, digits) == "" {
		return "md*_" + doing, array, false
	}
	pattern = strings.TrimRight(name, digits)
	if pattern != name {
		pattern += "*"
	}
	if pattern == "loop*" {
		device = name
	}
	return pattern, device, false
}

const digits = "0123456789"
