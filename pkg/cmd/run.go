package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/klog/v2"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// errInterrupted is the cause of a context that Ctrl-C has cancelled.
var errInterrupted = errors.New("interrupted")

// Run runs the plugin and returns its exit code. The first SIGINT, SIGTERM or SIGHUP
// cancels and cleans up; the second leaves at once, with the command that
// finishes by hand.
func Run(args []string, version string, streams genericiooptions.IOStreams) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	left := &leftBehind{}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // a closed terminal is a Ctrl-C, but not under nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	defer signal.Stop(signals)
	go func() {
		<-signals
		cancel(errInterrupted)
		<-signals
		if text := left.restore.Load(); text != nil {
			_, _ = io.WriteString(streams.Out, *text)
		}
		if byHand := left.command(); byHand != "" {
			fmt.Fprintf(streams.ErrOut, "\nleft without waiting; if the pod is still there: %s\n", byHand)
		}
		os.Exit(ExitInterrupted)
	}()
	// A reader that leaves (| head -1) must not kill us before the pod is gone:
	// a write to it then fails with EPIPE, like any other.
	signal.Ignore(syscall.SIGPIPE)
	// client-go logs what it also returns, e.g. that a stream was closed when we
	// close it. Whoever reads our stderr at night gets the errors only.
	klog.SetLogger(logr.Discard())
	root := NewRoot(version, streams)
	root.SetArgs(args)
	return exitCode(ctx, root.ExecuteContext(withLeftBehind(ctx, left)), streams)
}

func exitCode(ctx context.Context, err error, streams genericiooptions.IOStreams) int {
	switch {
	case errors.Is(err, errWatchEnded):
		return ExitOK
	case errors.Is(context.Cause(ctx), errInterrupted):
		if err != nil && !errors.Is(err, errInterrupted) && !errors.Is(err, context.Canceled) {
			printError(streams.ErrOut, err)
		}
		fmt.Fprintln(streams.ErrOut, "interrupted")
		return ExitInterrupted
	case err == nil:
		return ExitOK
	case errors.Is(err, errReported):
		return ExitFailed
	}
	printError(streams.ErrOut, err)
	return ExitFailed
}

// printError prints an error. Parts of it may be a node's or a webhook's words,
// so all but its own line breaks is made safe.
func printError(w io.Writer, err error) {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	for i := range lines {
		lines[i] = report.Clean(strings.ReplaceAll(lines[i], "\t", "  "))
	}
	fmt.Fprintln(w, "error:", strings.Join(lines, "\n"))
}

// leftBehind is what is to be done if we leave without waiting.
type leftBehind struct {
	byHand  atomic.Pointer[string] // the command that removes the pod
	restore atomic.Pointer[string] // what gives the terminal back as it was
}

func (l *leftBehind) set(command string) { l.byHand.Store(&command) }

func (l *leftBehind) command() string {
	if c := l.byHand.Load(); c != nil {
		return *c
	}
	return ""
}

type leftBehindKey struct{}

func withLeftBehind(ctx context.Context, l *leftBehind) context.Context {
	return context.WithValue(ctx, leftBehindKey{}, l)
}

// noteLeftBehind remembers the command for a second Ctrl-C; "" forgets it.
func noteLeftBehind(ctx context.Context, command string) {
	if l, ok := ctx.Value(leftBehindKey{}).(*leftBehind); ok {
		l.set(command)
	}
}

// noteRestore remembers what gives the terminal back as it was, for a second
// Ctrl-C; "" forgets it.
func noteRestore(ctx context.Context, text string) {
	if l, ok := ctx.Value(leftBehindKey{}).(*leftBehind); ok {
		l.restore.Store(&text)
	}
}
