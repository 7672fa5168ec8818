package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

// options are a command and all that its flags and arguments say.
type options struct {
	command string
	layout  layout
	size    size
	node    string
	args    []string
	load    loadOptions
	plugins string
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

func parseOptions(command string, args []string) (options, error) {
	o := options{command: command}
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error says it all
	dir := flags.String("dir", "/var/tmp/nodedoc-cluster", "where the cluster keeps its things")
	switch command {
	case "up", "run":
		flags.IntVar(&o.size.nodes, "nodes", 2, "how many nodes")
		flags.IntVar(&o.size.vms, "vms", 0, "how many nodes more that are virtual machines")
	case "load":
		flags.StringVar(&o.load.image, "image", "", "the image's name")
		flags.StringVar(&o.load.base, "base", "", "what the image builds on")
		flags.Var((*list)(&o.load.entrypoint), "entrypoint", "one argument of the entry point")
		flags.Var((*list)(&o.load.nodes), "node", "one node to put it on")
	case "apiserver":
		flags.StringVar(&o.plugins, "admission", "", "more admission plugins")
	case "down", "restart", "exec":
	case "help", "-h", "--help":
		return o, flag.ErrHelp
	default:
		return o, fmt.Errorf("failed to find command %q: see `cluster help`", command)
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.args = flags.Args()
	var err error
	if o.layout, err = newLayout(*dir); err != nil {
		return o, err
	}
	return o, o.complete()
}

// complete sorts the arguments out, which differ from command to command.
func (o *options) complete() error {
	switch o.command {
	case "up", "down":
		if len(o.args) > 0 {
			return fmt.Errorf("failed to understand %q: `cluster %s` takes flags only", o.args, o.command)
		}
	case "run":
		if len(o.args) == 0 {
			return fmt.Errorf("no command to run: cluster run [--nodes 2] [--dir DIR] -- COMMAND")
		}
	case "apiserver":
		if o.plugins == "" || len(o.args) == 0 {
			return fmt.Errorf("no plugin or no command: cluster apiserver [--dir DIR] --admission PLUGIN[,PLUGIN] -- COMMAND")
		}
	case "restart":
		if len(o.args) != 1 {
			return fmt.Errorf("no component: cluster restart [--dir DIR] kube-apiserver")
		}
	case "exec":
		if len(o.args) > 1 && o.args[1] == "--" {
			o.args = append(o.args[:1:1], o.args[2:]...)
		}
		if len(o.args) < 2 {
			return fmt.Errorf("no node or no command: cluster exec [--dir DIR] NODE -- COMMAND")
		}
		o.node, o.args = o.args[0], o.args[1:]
	case "load":
		if o.load.image == "" || len(o.args) == 0 {
			return fmt.Errorf("no image name or no file: cluster load [--dir DIR] --image NAME[:TAG] FILE[=PATH/IN/IMAGE]")
		}
		o.load.files = o.args
	}
	return nil
}

func (o options) run(ctx context.Context, p progress) error {
	switch o.command {
	case "up":
		err := up(ctx, o.layout, p, o.size)
		if err != nil && exists(o.layout.before()) {
			err = fmt.Errorf("%w\nwhat is there of the cluster goes with `cluster down --dir %s`", err, o.layout.dir)
		}
		return err
	case "down":
		return down(ctx, o.layout, p)
	case "run":
		return runInside(ctx, o.layout, p, o.size, o.args)
	case "restart":
		return restart(ctx, o.layout, p, o.args[0])
	case "apiserver":
		return runBeside(ctx, o.layout, o.plugins, o.args)
	case "exec":
		return execInside(o.layout, o.node, o.args)
	default:
		return load(ctx, o.layout, p, o.load)
	}
}
