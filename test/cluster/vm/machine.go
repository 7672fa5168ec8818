package vm

import (
	"fmt"
	"os"
	"strings"
)

// Machine is a virtual machine to be started.
type Machine struct {
	Name   string // also of its tap device
	MAC    string
	Image  Image
	Config string // the tar archive that is unpacked over the disk at each boot
}

// Image is what all virtual machines share; none of them changes it.
type Image struct {
	Kernel, Initrd, Disk string
}

// MemoryMiB is how much memory a machine has. Without pods it uses a fifth of it.
const MemoryMiB = 1280

// Command is the emulator's command line. Console and errors go to its standard output and error.
func (m Machine) Command(kvm bool) []string {
	// "max" is every feature that the emulation knows, "host" every one that the processor has.
	accelerator, processor := "tcg,thread=multi", "max"
	if kvm {
		accelerator, processor = "kvm", "host"
	}
	return []string{
		"qemu-system-x86_64", "-name", m.Name, "-no-user-config", "-nodefaults", "-display", "none",
		"-accel", accelerator, "-cpu", processor, "-smp", "2", "-m", fmt.Sprint(MemoryMiB),
		"-kernel", m.Image.Kernel, "-initrd", m.Image.Initrd,
		"-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet",
		// What the machine writes goes to a file without a name in TMPDIR, and is gone when the emulator ends.
		"-drive", "file=" + m.Image.Disk + ",format=raw,if=virtio,snapshot=on,cache=unsafe",
		"-drive", "file=" + m.Config + ",format=raw,if=virtio,readonly=on",
		"-netdev", "tap,id=net,ifname=" + m.Name + ",script=no,downscript=no",
		"-device", "virtio-net-pci,netdev=net,mac=" + m.MAC,
		"-device", "virtio-rng-pci",
		"-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
	}
}

// MayUseKVM says whether the processor itself can run the machine. There are hosts whose /dev/kvm opens although it
// runs nothing but kernels that were made for it: those show no such feature of the processor.
func MayUseKVM() bool {
	features, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || !virtualizes(string(features)) {
		return false
	}
	device, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	return device.Close() == nil
}

// virtualizes looks for Intel's or AMD's feature in /proc/cpuinfo:
//
//	flags		: fpu vme de pse … vmx …
func virtualizes(cpuinfo string) bool {
	for line := range strings.Lines(cpuinfo) {
		name, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) != "flags" {
			continue
		}
		for _, flag := range strings.Fields(value) {
			if flag == "vmx" || flag == "svm" {
				return true
			}
		}
	}
	return false
}
