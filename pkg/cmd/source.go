package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

// source is where a joined report comes from.
type source struct {
	flags    *sourceFlags
	env      env
	progress *progress
	// cluster is set where many nodes are asked; else it is found when needed.
	cluster *cluster
	// storage is asked for volumes, too; nil: nobody wants them.
	storage *storage
	// memory: the API server and the kubelet are asked for the node's memory, too.
	memory bool
	// kubelets: so are kubelets, about themselves; nil: they are not.
	kubelets *inventory.KubeletQuestions
	// vitals: they are asked whether the node is well.
	vitals bool
	// noPod is why a node's standby is asked in place of a pod; nil: it is not, or the
	// user wants it so.
	noPod error
}

// answer gets a report about node, joins it, saves it where asked, and lets use
// print it. The pod is removed meanwhile, and gone when answer returns.
func (s *source) answer(ctx context.Context, node string, req report.Request, use func(*correlate.Node) error) (err error) {
	defer s.progress.clear()
	o, err := s.open(ctx, node, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.release()) }()
	r, err := o.collect(ctx, req)
	if err != nil {
		return err
	}
	o.finish()
	askForLog(s.kubelets, r)
	inv := s.ask(ctx, o)
	o.name(ctx, r, inv)
	// The answer is worth telling even where it cannot be kept.
	err = s.save(r, inv)
	s.progress.clear()
	return errors.Join(err, unlessReaderLeft(use(s.join(r, inv))))
}

// join says of a saved report that nobody was asked about that it may be of another
// machine than this one.
func (s *source) join(r *report.NodeReport, inv *inventory.Inventory) *correlate.Node {
	n := correlate.Join(r, inv)
	n.Elsewhere = s.flags.from != "" && inv == nil
	return n
}

func (s *source) save(r *report.NodeReport, inv *inventory.Inventory) error {
	if s.flags.save == "" {
		return nil
	}
	return saved.Write(s.flags.save, r, inv)
}

// opened is a source that gives reports.
type opened struct {
	collect   func(context.Context, report.Request) (*report.NodeReport, error)
	inventory func(context.Context) *inventory.Inventory
	// names asks who pods were, by their UIDs; nil: nobody can be asked.
	names func(context.Context, *inventory.Inventory, []string)
	// finish says that no more reports are wanted, and returns at once; release
	// waits until nothing is left.
	finish  func()
	release func() error
}

// open opens the source that the flags name. What it makes on a node lives for
// some time longer than usual.
func (s *source) open(ctx context.Context, node string, longer time.Duration) (opened, error) {
	switch {
	case s.flags.from != "":
		r, inv, err := saved.Read(s.flags.from, s.env.streams.In)
		if err == nil && s.flags.join {
			inv, err = s.joinNow(ctx, r, inv)
		}
		return fixed(s.unpacked(r), inv), err
	case s.flags.local:
		s.progress.show("examining this machine")
		o := fixed(nil, nil)
		o.collect = func(ctx context.Context, req report.Request) (*report.NodeReport, error) {
			req.ShowSecrets = s.flags.showSecrets
			r, err := localReport(ctx, s.env.version, req)
			return s.unpacked(r), err
		}
		return o, nil
	}
	return s.openNode(ctx, node, longer)
}

// fixed always gives the same report.
func fixed(r *report.NodeReport, inv *inventory.Inventory) opened {
	return opened{
		collect:   func(context.Context, report.Request) (*report.NodeReport, error) { return r, nil },
		inventory: func(context.Context) *inventory.Inventory { return inv },
		finish:    func() {},
		release:   func() error { return nil },
	}
}

func (s *source) openNode(ctx context.Context, node string, longer time.Duration) (opened, error) {
	if s.flags.save != "" { // better now than after the run
		if _, err := os.Stat(filepath.Dir(s.flags.save)); err != nil {
			return opened{}, fmt.Errorf("failed to save to %q: %w", s.flags.save, err)
		}
	}
	at, err := s.reach()
	if err != nil {
		return opened{}, err
	}
	asker := s.asker(at, node)
	o := opened{finish: func() {}, release: func() error { return nil }}
	o.inventory = func(ctx context.Context) *inventory.Inventory {
		inv := asker.Ask(ctx)
		if s.storage != nil {
			inv.AddStorage(s.storage.since(ctx, at.clients.Kube, time.Time{}))
		}
		return inv
	}
	if s.memory {
		o.names = asker.AskNames
	}
	collect, err := s.wayIn(ctx, at, node, longer, &o)
	if err != nil {
		return opened{}, err
	}
	s.progress.show("examining node " + node)
	o.collect = func(ctx context.Context, req report.Request) (*report.NodeReport, error) {
		req.ShowSecrets = s.flags.showSecrets
		if s.storage != nil { // a pod that ends meanwhile takes its mounts along
			asker.Before(ctx)
		}
		r, err := collect(ctx, req)
		return s.unpacked(r), err
	}
	return o, nil
}

func (s *source) asker(at *cluster, node string) *inventory.Asker {
	asker := inventory.NewAsker(at.clients.Kube, node)
	if s.storage != nil {
		asker.WithVolumes()
	}
	if s.memory {
		asker.WithMemory()
	}
	if s.kubelets != nil {
		asker.WithKubelets(s.kubelets)
	}
	if s.vitals {
		asker.WithVitals()
	}
	return asker
}

// name asks for what only events tell: who pods were that lost processes to the OOM
// killer, and are gone by now.
func (o opened) name(ctx context.Context, r *report.NodeReport, inv *inventory.Inventory) {
	if o.names == nil || inv == nil || r.OOM == nil || len(r.OOM.Kills) == 0 {
		return
	}
	o.names(ctx, inv, correlate.Join(r, inv).UnnamedVictims())
}

type collectFunc = func(context.Context, report.Request) (*report.NodeReport, error)

// wayIn starts a pod or, where none starts, finds the node's standby. What is to be
// undone it notes in o.
func (s *source) wayIn(ctx context.Context, at *cluster, node string, longer time.Duration, o *opened) (collectFunc, error) {
	if s.flags.standby {
		return s.askStandby(ctx, at, node, nil)
	}
	notes := &podNotes{left: leftBehindOf(ctx), cleanUp: s.env.nodedoc("cleanup -n " + at.namespace)}
	config := s.podConfig(node, at, longer)
	config.Created = notes.created
	config.Elsewhere = func(ctx context.Context) bool {
		_, err := debugpod.FindStandby(ctx, at.clients.Kube, node, at.namespace)
		return err == nil
	}
	session, err := debugpod.Start(ctx, at.clients, config, s.progress.show, s.progress.warn)
	if err == nil {
		o.finish = session.Finish
		o.release = func() error {
			s.progress.show("removing the pod")
			defer notes.gone()
			return session.Close()
		}
		return session.Collect, nil
	}
	return s.withoutPod(ctx, at, node, err, notes, o)
}

// podConfig is what the flags say of the pod.
func (s *source) podConfig(node string, at *cluster, longer time.Duration) debugpod.Config {
	config := debugpod.Config{
		Node: node, Namespace: at.namespace, Survey: at.survey,
		Image: s.flags.image, ProbeImage: s.flags.probeImage, PullSecret: s.flags.pullSecret,
		Profile: debugpod.Profile(s.flags.profile),
		Version: s.env.version, Kubectl: s.env.kubectl(),
	}
	if s.flags.given("start-timeout") {
		config.StartTimeout = s.flags.startTimeout
	}
	if longer > 0 {
		config.Lifetime = usualLife + longer
	}
	return config
}

// ask asks the API server for what it knows of the node.
func (s *source) ask(ctx context.Context, o opened) *inventory.Inventory {
	if s.flags.remote() {
		s.progress.show("asking the API server for its pods")
	}
	inv := o.inventory(ctx)
	if inv != nil && inv.PodsError != "" && s.flags.remote() {
		s.progress.warn("pods are named by the node's own files only: " + inv.PodsError)
	}
	return inv
}
