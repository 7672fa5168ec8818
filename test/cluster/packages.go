package main

import (
	"context"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// needed is a Debian package and the test of whether its work can be done without installing it.
type needed struct {
	pkg     string
	present func() bool
}

func requirements(vms bool) []needed {
	needs := []needed{
		{"containerd", programs("containerd", "ctr", "containerd-shim-runc-v2")},
		{"runc", programs("runc")},
		{"containernetworking-plugins", programs("/usr/lib/cni/ptp", "/usr/lib/cni/portmap")},
		{"busybox-static", func() bool { return isStatic(busyboxProgram) }},
		{"iproute2", programs("ip")},
		{"iptables", programs("iptables")}, // host ports and the kubelet, in the node's network only
		{"util-linux", programs("nsenter", "unshare")},
		{"e2fsprogs", programs("mkfs.ext4")},
		{"cron", programs("cron")}, // a node's jobs
	}
	if !vms {
		return needs
	}
	return append(needs,
		needed{"qemu-system-x86", programs("qemu-system-x86_64")},
		needed{"debootstrap", programs("debootstrap")},
		needed{"debian-archive-keyring", func() bool { return exists("/usr/share/keyrings/debian-archive-keyring.gpg") }},
		needed{"openssh-client", programs("ssh", "ssh-keygen")},
	)
}

// installPackages installs what the machine lacks.
func installPackages(ctx context.Context, p progress, vms bool) error {
	var missing []string
	for _, requirement := range requirements(vms) {
		if !requirement.present() {
			missing = append(missing, requirement.pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("failed to find apt-get: install %s by hand", strings.Join(missing, ", "))
	}
	p.say("installing %s", strings.Join(missing, ", "))
	if err := apt(ctx, "update"); err != nil {
		return err
	}
	if err := apt(ctx, append([]string{"install", "--yes", "--no-install-recommends"}, missing...)...); err != nil {
		return err
	}
	return stopServices(ctx, missing)
}

// apt is not interrupted: a half-installed package is worse than a little patience.
func apt(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "apt-get", append([]string{"-q"}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return output(cmd)
}

// stopServices stops the services that Debian's packages start on a machine with systemd: the nodes run their own. One
// that had been there before is somebody's, and is left alone.
func stopServices(ctx context.Context, installed []string) error {
	if !exists("/run/systemd/system") {
		return nil
	}
	for _, pkg := range installed {
		if pkg == "containerd" || pkg == "cron" {
			if err := command(ctx, "systemctl", "disable", "--now", pkg+".service"); err != nil {
				return err
			}
		}
	}
	return nil
}

func programs(names ...string) func() bool {
	return func() bool {
		for _, name := range names {
			if _, err := exec.LookPath(name); err != nil {
				return false
			}
		}
		return true
	}
}

// isStatic says whether a program runs without any library: a busybox that needs them is of no use in an image.
func isStatic(path string) bool {
	program, err := elf.Open(path)
	if err != nil {
		return false
	}
	defer program.Close()
	for _, segment := range program.Progs {
		if segment.Type == elf.PT_INTERP {
			return false
		}
	}
	return true
}
