package vm

import (
	"fmt"
	"strings"
)

// Packages are what a node needs on top of a minimal Debian, and what is there to be seen: timers, cron, sessions.
func Packages() []string {
	return []string{
		"systemd", "systemd-sysv", "dbus", "libpam-systemd", "openssh-server", "linux-image-cloud-amd64", "kmod",
		"containerd", "runc", "containernetworking-plugins", "busybox-static", "iproute2", "iptables", "mount", "login",
		"procps", "e2fsprogs", "plocate", "cron",
	}
}

// Targets makes apt-get list its sources the way that Mirror reads them.
func Targets() []string {
	return []string{"apt-get", "indextargets", "--format", "$(SITE) $(CODENAME) $(COMPONENT)", "Created-By: Packages"}
}

// Mirror finds the mirror that this machine itself gets a Debian release from, one source per line:
//
//	http://mirror.example/debian bookworm main
func Mirror(targets, codename string) (string, error) {
	for line := range strings.Lines(targets) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[1] == codename && fields[2] == "main" {
			return fields[0], nil
		}
	}
	return "", fmt.Errorf("failed to find the mirror of %q in what apt-get indextargets says: is it below /etc/apt?", codename)
}

// Codename reads the release's name from /etc/os-release:
//
//	VERSION_CODENAME=bookworm
func Codename(osRelease string) (string, error) {
	for line := range strings.Lines(osRelease) {
		if name, found := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); found {
			return strings.Trim(name, `"'`), nil
		}
	}
	return "", fmt.Errorf("failed to find VERSION_CODENAME in /etc/os-release: virtual machines need Debian 12 or 13")
}

// ModuleFiles reads the module files, in the order in which to load them, from `modprobe --show-depends`:
//
//	insmod /lib/modules/6.1.0-50-cloud-amd64/kernel/drivers/virtio/virtio.ko
//	builtin ext4
//
// A module that others need as well is listed once for each of them, and loaded once.
func ModuleFiles(depends string) []string {
	var files []string
	seen := map[string]bool{}
	for line := range strings.Lines(depends) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "insmod" || seen[fields[1]] {
			continue
		}
		seen[fields[1]] = true
		files = append(files, fields[1])
	}
	return files
}
