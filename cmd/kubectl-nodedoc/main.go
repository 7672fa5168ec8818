// kubectl-nodedoc is a kubectl plugin that finds out who makes a node sick.
package main

import (
	"os"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/nodedoc/kubectl-nodedoc/pkg/cmd"
)

// version is set by the linker.
var version = "devel"

func main() {
	os.Exit(cmd.Run(os.Args[1:], version, genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}))
}
