package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
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
		if byHand := left.byHand(); byHand != "" {
			fmt.Fprintf(streams.ErrOut, "\nleft without waiting; %s\n", byHand)
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
	case errors.Is(err, errFindings):
		return ExitFindings
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
