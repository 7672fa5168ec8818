//go:build linux

// actor plays the processes of an incident, inside a container or on a node: it
// leaks, holds, forks and hides as it is told. What it takes is bounded.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/test/incidents/loopvol"
)

const usage = `usage: actor [--comm NAME] [--cgroup PATH] [--detach] [--stubborn] ROLE
  leak-fifos DIR PER-SECOND MOST   open named pipes as a runtime does for exec sessions, and close none
  hold FILES                       open so many descriptors, then sleep
  parent COMMAND [ARG ...]         start a child and wait for it
  become COMMAND [ARG ...]         be another program
  grow PER-SECOND MOST [TREE ...]  take so many MiB of memory, and go from directory to directory meanwhile
  fill FILE SIZE                   write a file of so many MiB, and leave
  zombie [CHILDREN]                start a child, or so many, and never reap them
  threads THREADS                  be so many threads
  pipes PIPES                      keep so many pipes open
  runc-init                        once new pipes are cut down, be a "runc init" that hangs in a full one
  stuck DIR                        mount a FUSE filesystem that nobody serves there, and wait for it in one thread
  headless FILES                   open so many descriptors, and end the first thread only
  volumes TEMPLATE                 mount copies of a filesystem's image, as stdin says (see loopvol.Volume), and leave
  unmount DIR ...                  unmount all at and below directories, and leave
  remove-loops FIRST               remove the free loop devices from a number on, and leave
`

type options struct {
	comm, cgroup     string
	detach, stubborn bool
}

func main() {
	runtime.LockOSThread() // headless ends this very thread
	var o options
	flag.StringVar(&o.comm, "comm", "", "")
	flag.StringVar(&o.cgroup, "cgroup", "", "")
	flag.BoolVar(&o.detach, "detach", false, "")
	flag.BoolVar(&o.stubborn, "stubborn", false, "")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()
	if err := run(o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "actor:", err)
		os.Exit(1)
	}
}

func run(o options, role []string) error {
	if o.detach {
		return detach()
	}
	if o.cgroup != "" {
		if err := joinCgroup(o.cgroup); err != nil {
			return err
		}
	}
	if o.comm != "" {
		if err := setComm(o.comm); err != nil {
			return err
		}
	}
	dieOnTerm(o.stubborn)
	switch {
	case len(role) > 1 && role[0] == "become":
		return become(role[1:])
	case len(role) > 2 && role[0] == "grow":
		return grow(role[1], role[2], role[3:])
	case len(role) == 3 && role[0] == "fill":
		return fill(role[1], role[2])
	case len(role) == 4 && role[0] == "leak-fifos":
		return leakFIFOs(role[1], role[2], role[3])
	case len(role) == 2 && role[0] == "hold":
		return hold(role[1])
	case len(role) > 1 && role[0] == "parent":
		child := exec.Command(role[1], role[2:]...)
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		return child.Run()
	case len(role) == 2 && role[0] == "headless":
		return headless(role[1])
	case len(role) == 1 && role[0] == "zombie":
		return zombies("1")
	case len(role) == 2 && role[0] == "volumes":
		return volumes(role[1])
	case len(role) > 1 && role[0] == "unmount":
		return loopvol.Unmount(role[1:]...)
	case len(role) == 2 && role[0] == "remove-loops":
		return removeLoops(role[1])
	case len(role) == 2 && role[0] == "zombie":
		return zombies(role[1])
	case len(role) == 2 && role[0] == "threads":
		return threads(role[1])
	case len(role) == 2 && role[0] == "pipes":
		return pipes(role[1])
	case len(role) == 1 && role[0] == "runc-init":
		return runcInit()
	case len(role) == 2 && role[0] == "init":
		return bootstrap(role[1])
	case len(role) == 2 && role[0] == "stuck":
		return stuck(role[1])
	}
	flag.Usage()
	return errors.New("no such role")
}

// detach starts this program again in a session of its own and leaves.
func detach() error {
	var args []string
	for _, a := range os.Args[1:] {
		if a != "--detach" && a != "-detach" {
			args = append(args, a)
		}
	}
	c := exec.Command("/proc/self/exe", args...)
	c.Args[0] = os.Args[0]
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return err
	}
	fmt.Println(c.Process.Pid)
	return nil
}

// setComm names the process: the main thread's comm is what /proc/PID/stat shows.
func setComm(name string) error {
	b, err := unix.BytePtrFromString(name)
	if err != nil {
		return err
	}
	if os.Getpid() != unix.Gettid() {
		return os.WriteFile("/proc/self/comm", []byte(name), 0)
	}
	return unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(b)), 0, 0, 0)
}

// dieOnTerm: the first process of a pid namespace ignores what it does not
// handle. A stubborn one ignores SIGTERM, so that it outlives its pod's object.
func dieOnTerm(stubborn bool) {
	if stubborn {
		signal.Ignore(syscall.SIGTERM)
		return
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go func() {
		<-signals
		os.Exit(0)
	}()
}
