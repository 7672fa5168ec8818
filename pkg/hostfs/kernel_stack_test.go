package hostfs

import (
	"strings"
	"testing"
)

func TestStackFunctions(t *testing.T) {
	for stack, want := range map[string]string{
		"[<0>] rpc_wait_bit_killable+0xd/0x60 [sunrpc]\n[<0>] nfs_permission+0x93/0x1c0 [nfs]\n[<0>] do_syscall_64+0x5d/0x90\n": "rpc_wait_bit_killable nfs_permission",
		"[<ffffffffc07d1e5e>] nfs_wait_bit_killable+0x6e/0x90 [nfs]\n[<ffffffffffffffff>] 0xffffffffffffffff\n":                 "nfs_wait_bit_killable",
		"[<0>] link_path_walk.part.0.constprop.0+0x29c/0x3b0\n":                                                                 "link_path_walk.part.0.constprop.0",
		"[<0>] odd [nfs]\ntorn": "odd",
		"":                      "",
	} {
		if got := StackFunctions(stack, 2); got != want {
			t.Errorf("%q: got %q, want %q", stack, got, want)
		}
	}
}

func FuzzStackFunctions(f *testing.F) {
	f.Add("[<0>] rpc_wait_bit_killable+0xd/0x60 [sunrpc]\n", 16)
	f.Add("] \n] +\n", 1)
	f.Fuzz(func(t *testing.T, stack string, most int) {
		if got := StackFunctions(stack, most); len(got) > len(stack) || strings.Contains(got, "\n") {
			t.Fatalf("%q: %q", stack, got)
		}
	})
}
