// scale makes incident 4 at its own size on a throwaway cluster, has nodedoc
// answer and write its script, runs that, and prints sizes and times. It fails where
// anything is left after the script.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// scale is what is asked for.
type scale struct {
	*incidents.Cluster
	node, namespace string
	devices, pods   int
	keep            string // a directory for what nodedoc said, or ""
}

func main() {
	var s scale
	tools := flag.String("tools", "dist", "the directory of the built programs")
	flag.StringVar(&s.node, "node", "nd-node-1", "the node to do it on")
	flag.StringVar(&s.namespace, "namespace", "scale-mounts", "the namespace of its pods; it is made, and deleted")
	flag.IntVar(&s.devices, "devices", 6385, "how many volumes leak; each makes four mounts")
	flag.IntVar(&s.pods, "pods", 10, "how many pods have the node's root mounted, besides the log collector's")
	flag.StringVar(&s.keep, "keep", "", "a directory for nodedoc's answers and script")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if s.Cluster, err = incidents.Connect(*tools); err == nil {
		err = s.run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

// run does it all, and undoes it whatever happens.
func (s *scale) run(ctx context.Context) (err error) {
	var u incidents.Undo
	defer func() {
		began := time.Now()
		err = errors.Join(err, u.All(context.WithoutCancel(ctx)))
		say("undone", began)
	}()
	before, err := machine(ctx)
	if err != nil {
		return err
	}
	if err := s.make(ctx, &u); err != nil {
		return err
	}
	if err := s.sizes(ctx); err != nil {
		return err
	}
	if err := s.ask(ctx, "leaked.txt", "mounts", s.node, "--leaked"); err != nil {
		return err
	}
	if err := s.ask(ctx, "script.sh", "mounts", s.node, "--script"); err != nil {
		return err
	}
	if err := s.runScript(ctx); err != nil {
		return err
	}
	if err := s.ask(ctx, afterScript, "mounts", s.node, "--leaked"); err != nil {
		return err
	}
	return errors.Join(s.sizes(ctx), s.undoneByScript(ctx, before))
}

// make starts the pods first: a runtime takes minutes to start one on a node
// with so many mounts.
func (s *scale) make(ctx context.Context, u *incidents.Undo) error {
	began := time.Now()
	if err := s.LoadActor(ctx, s.node); err != nil {
		return err
	}
	if err := s.TemporaryNamespace(ctx, u, s.namespace); err != nil {
		return err
	}
	if err := s.LogCollector(ctx, u, s.namespace, s.node); err != nil {
		return err
	}
	for i := range s.pods {
		if _, err := s.Pod(ctx, s.namespace, fmt.Sprintf("collector-%d", i), incidents.Collector(s.node)); err != nil {
			return err
		}
	}
	if err := s.LoopDevices(u); err != nil {
		return err
	}
	if _, err := incidents.NewRemovingContainer(ctx, s.Cluster, u, s.node); err != nil {
		return err
	}
	if err := s.ManyVolumes(ctx, u, s.node, s.devices); err != nil {
		return err
	}
	say(fmt.Sprintf("made %d leaked volumes and %d pods with the node's root", s.devices, s.pods+1), began)
	return nil
}

func say(what string, since time.Time) {
	fmt.Printf("%-70s %8.2f s\n", what, time.Since(since).Seconds())
}
