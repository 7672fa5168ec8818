//go:build linux

// deadfuse mounts a FUSE filesystem with one file, "held", at DIR, and serves
// it until it is killed. Stopped by SIGSTOP it is a daemon that no longer
// answers: the mount is there, and whoever touches it waits.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

type tree struct{ fs.Inode }

// OnAdd makes the file.
func (t *tree) OnAdd(ctx context.Context) {
	t.AddChild("held", t.NewPersistentInode(ctx, &fs.MemRegularFile{Data: []byte("x")}, fs.StableAttr{}), false)
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: deadfuse DIR")
		os.Exit(2)
	}
	server, err := fs.Mount(os.Args[1], &tree{}, &fs.Options{MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "deadfuse"}})
	if err != nil {
		fmt.Fprintln(os.Stderr, "deadfuse:", err)
		os.Exit(1)
	}
	fmt.Println("ready")
	server.Wait()
}
