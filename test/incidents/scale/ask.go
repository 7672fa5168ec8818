package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// sizes prints what there is on the node.
func (s *scale) sizes(ctx context.Context) error {
	out, err := s.OnNode(ctx, s.node, "sh", "-c", `echo $(wc -l </proc/self/mountinfo) mounts in the host\'s namespace,
all=0 n=0
for ns in $(readlink /proc/[0-9]*/ns/mnt | sort -u); do
  for p in /proc/[0-9]*; do test "$(readlink $p/ns/mnt)" = "$ns" && break; done
  all=$((all + $(wc -l <$p/mountinfo))) n=$((n + 1))
done
echo $all in $n namespaces`)
	if err != nil {
		return err
	}
	of, err := machine(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s; %s, %d MiB kernel slab\n", strings.ReplaceAll(out, "\n", " "), of, of.slab)
	return nil
}

// counts are of the whole machine: devices and kernel threads are no namespace's.
type counts struct{ devices, threads, slab int }

func (c counts) String() string {
	return fmt.Sprintf("%d loop devices, %d jbd2 threads", c.devices, c.threads)
}

func machine(ctx context.Context) (c counts, err error) {
	out, err := exec.CommandContext(ctx, "sh", "-c", `losetup -nO NAME | wc -l; ps -eo comm= | grep -c '^jbd2/loop'; awk '/^Slab/ { print int($2 / 1024) }' /proc/meminfo`).Output()
	if n, _ := fmt.Sscan(string(out), &c.devices, &c.threads, &c.slab); n != 3 {
		return c, errors.Join(err, fmt.Errorf("losetup, ps and meminfo said %q", out))
	}
	return c, nil
}

// undoneByScript fails unless nodedoc's last answer is that nothing is leaked, and the
// machine has no more devices and threads than before. The kernel frees both shortly
// after the last umount.
func (s *scale) undoneByScript(ctx context.Context, before counts) error {
	answer, err := os.ReadFile(filepath.Join(s.dir(), afterScript))
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(answer), "no leaked volumes on "+s.node+",") {
		return fmt.Errorf("after the script nodedoc says: %s", answer)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		now, err := machine(ctx)
		if err != nil {
			return err
		}
		if now.devices <= before.devices && now.threads <= before.threads {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("after the script there are %s, before there were %s", now, before)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// afterScript is the file of what nodedoc says then.
const afterScript = "after.txt"

// ask runs nodedoc, and prints how long it took from when its pod ran.
func (s *scale) ask(ctx context.Context, file string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	answer, err := os.Create(filepath.Join(s.dir(), file))
	if err != nil {
		return err
	}
	defer answer.Close()
	out := &firstByte{file: answer}
	nodedoc := exec.CommandContext(ctx, filepath.Join(s.Tools, "kubectl-nodedoc"), append(args, "--pod-namespace", s.namespace, "--start-timeout", "5m")...)
	nodedoc.Stdout, nodedoc.Stderr = out, os.Stderr
	if _, err := s.OnNode(ctx, s.node, "touch", asking); err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	running, err := s.podRuns(watching)
	if err != nil {
		return err
	}
	resident := s.resident(ctx)
	began := time.Now()
	err = nodedoc.Run()
	ended := time.Now()
	stop()
	_, errStop := s.OnNode(ctx, s.node, "rm", asking)
	if err := errors.Join(err, errStop); err != nil {
		return fmt.Errorf("%q: %w", args, err)
	}
	started := <-running
	if out.at.IsZero() {
		return fmt.Errorf("%q: no answer", args)
	}
	if started.IsZero() {
		fmt.Printf("nodedoc %s: nobody saw its pod run; all done in %.2f s, %d bytes\n", strings.Join(args, " "), ended.Sub(began).Seconds(), out.size)
		return nil
	}
	fmt.Printf("nodedoc %s: pod started in %.2f s, answer %.2f s later, all done in %.2f s; probe at most %s resident; %d bytes\n", strings.Join(args, " "),
		started.Sub(began).Seconds(), out.at.Sub(started).Seconds(), ended.Sub(began).Seconds(), <-resident, out.size)
	return nil
}

func (s *scale) dir() string {
	if s.keep == "" {
		return os.TempDir()
	}
	return s.keep
}

// firstByte notes when the answer began.
type firstByte struct {
	file *os.File
	at   time.Time
	size int
}

func (f *firstByte) Write(b []byte) (int, error) {
	if f.at.IsZero() {
		f.at = time.Now()
	}
	f.size += len(b)
	return f.file.Write(b)
}

// podRuns says when nodedoc's next pod was first seen to run.
func (s *scale) podRuns(ctx context.Context) (<-chan time.Time, error) {
	pods := s.Client.CoreV1().Pods(s.namespace)
	now, err := pods.List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	watch, err := pods.Watch(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=nodedoc", ResourceVersion: now.ResourceVersion})
	if err != nil {
		return nil, err
	}
	at := make(chan time.Time, 1)
	go func() {
		defer close(at)
		defer watch.Stop()
		for event := range watch.ResultChan() {
			if pod, ok := event.Object.(*corev1.Pod); ok && pod.Status.Phase == corev1.PodRunning {
				at <- time.Now()
				return
			}
		}
	}()
	return at, nil
}

// asking is a file on the node that is there while nodedoc runs.
const asking = "/run/nodedoc-scale"

// resident says how much memory the next probe on the node had at most.
func (s *scale) resident(ctx context.Context) <-chan string {
	most := make(chan string, 1)
	go func() {
		out, err := s.OnNode(ctx, s.node, "sh", "-c", `until p=$(pgrep -x probe); do test -e `+asking+` || exit 0; sleep 0.05; done
while grep -s VmHWM /proc/$p/status; do sleep 0.05; done`)
		lines := strings.Split(out, "\n")
		if err != nil {
			out = err.Error()
		} else {
			out = strings.Join(strings.Fields(strings.TrimPrefix(lines[len(lines)-1], "VmHWM:")), " ")
		}
		most <- out
	}()
	return most
}

// runScript runs what nodedoc wrote on the node.
func (s *scale) runScript(ctx context.Context) error {
	const there = "/root/umount.sh"
	if err := s.CopyToNode(ctx, s.node, filepath.Join(s.dir(), "script.sh"), there); err != nil {
		return err
	}
	began := time.Now()
	out, err := s.OnNode(ctx, s.node, "sh", "-c", "sh "+there+" 2>&1 | tail -n 3; rm "+there)
	say("the script ran", began)
	fmt.Println(out)
	return err
}
