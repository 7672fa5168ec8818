// nfsserver serves a directory in memory with one file by NFSv3, the mount protocol on
// the same port, until it is killed: a kernel that has it mounted then waits for
// a server that no longer answers. It runs on the node itself.
package main

import (
	"fmt"
	"net"
	"os"

	"github.com/go-git/go-billy/v5/memfs"
	"github.com/go-git/go-billy/v5/util"
	nfs "github.com/willscott/go-nfs"
	"github.com/willscott/go-nfs/helpers"
)

const handles = 1024 // that are remembered

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "nfsserver:", err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: nfsserver ADDRESS:PORT")
	}
	files := memfs.New()
	if err := util.WriteFile(files, "shared", []byte("read\n"), 0o644); err != nil {
		return err
	}
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return nfs.Serve(l, helpers.NewCachingHandler(helpers.NewNullAuthHandler(files), handles))
}
