// crash collects garbage while many stacks are deep, grows them, and panics.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

type node struct{ left, right *node }

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{tree(depth - 1), tree(depth - 1)}
}

func (n *node) count() int {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

//go:noinline
func crash(n int) int {
	if n == 0 {
		var nothing *node
		return len([]*node{nothing.left})
	}
	return crash(n-1) + 1
}

func main() {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			t := tree(12)
			runtime.GC()
			if t.count() != 1<<13-1 {
				panic("a stack was not walked rightly")
			}
		})
	}
	all.Wait()
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		crash(3)
	}()
	crash(2)
}
