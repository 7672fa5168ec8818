package vm

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMirrorIsThatOfTheWholeRelease(t *testing.T) {
	const targets = "https://other.example/apt bookworm-tools main\nhttp://a.example/debian-security bookworm-security main\n" +
		"http://b.example/debian bookworm contrib\nhttp://b.example/debian bookworm main\n"
	if got, err := Mirror(targets, "bookworm"); err != nil || got != "http://b.example/debian" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := Mirror(targets, "trixie"); err == nil {
		t.Errorf("got %q", got)
	}
}

func TestCodename(t *testing.T) {
	for osRelease, want := range map[string]string{
		"NAME=x\nVERSION_CODENAME=bookworm\nID=debian\n": "bookworm",
		"VERSION_CODENAME=\"trixie\"":                    "trixie",
		"NAME=x\n":                                       "",
	} {
		if got, err := Codename(osRelease); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", osRelease, got, err)
		}
	}
}

func TestModuleFilesAreListedOnce(t *testing.T) {
	const depends = "insmod /m/virtio.ko.xz \ninsmod /m/pci.ko \nbuiltin ext4\ninsmod /m/virtio.ko.xz \ninsmod /m/blk.ko \n"
	if got := ModuleFiles(depends); !slices.Equal(got, []string{"/m/virtio.ko.xz", "/m/pci.ko", "/m/blk.ko"}) {
		t.Errorf("got %q", got)
	}
}

func TestVirtualizesByWholeFlag(t *testing.T) {
	for cpuinfo, want := range map[string]bool{
		"processor\t: 0\nflags\t\t: fpu vmx de\n":           true,
		"flags\t\t: fpu svm\n":                              true,
		"flags\t\t: fpu svme\nvmx flags\t: vnmi ept\n":      false,
		"model name\t: a vmx of svm\nflags\t\t: hypervisor": false,
		"": false,
	} {
		if got := virtualizes(cpuinfo); got != want {
			t.Errorf("%q: got %v", cpuinfo, got)
		}
	}
}

// The kernel unpacks the same format as the program of that name does.
func TestInitrdUnpacks(t *testing.T) {
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		if os.Getenv("CI") != "" || os.Geteuid() == 0 { // who may make a cluster may install it
			t.Fatalf("install busybox-static, the initrd is unpacked with it: %v", err)
		}
		t.Skipf("NOT TESTED: the initrd is unpacked with busybox: %v", err)
	}
	var initrd bytes.Buffer
	modules := []Module{{"b.ko", []byte("odd")}, {"a.ko", nil}}
	if err := WriteInitrd(&initrd, []byte("program"), modules); err != nil {
		t.Fatal(err)
	}
	archive, err := gzip.NewReader(&initrd)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	unpack := exec.Command(busybox, "cpio", "-i")
	unpack.Dir, unpack.Stdin = root, io.Reader(archive)
	if said, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	for name, want := range map[string]string{
		"bin/busybox": "program", "modules/00-b.ko": "odd", "modules/01-a.ko": "", "init": string(initScript),
	} {
		if got, err := os.ReadFile(filepath.Join(root, name)); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	for _, directory := range []string{"dev", "proc", "root"} {
		if info, err := os.Stat(filepath.Join(root, directory)); err != nil || !info.IsDir() {
			t.Errorf("%s is no directory: %v", directory, err)
		}
	}
}

func TestCommandFallsBackToEmulation(t *testing.T) {
	m := Machine{Name: "nd-vm-1", Image: Image{Disk: "/d"}}
	for kvm, want := range map[bool]string{false: "-accel tcg,thread=multi -cpu max", true: "-accel kvm -cpu host"} {
		if got := strings.Join(m.Command(kvm), " "); !strings.Contains(got, want) || !strings.Contains(got, "file=/d,format=raw,if=virtio,snapshot=on") {
			t.Errorf("got %s", got)
		}
	}
}
