package hostfs

import "strings"

// StackFunctions are the functions that a thread waits in, the innermost first,
// parted by spaces, from /proc/PID/task/TID/stack (proc_pid_stack(5)); most of them at
// most.
//
//	[<0>] rpc_wait_bit_killable+0xd/0x60 [sunrpc]
//	[<ffffffffc07d1e5e>] nfs_file_read+0x6e/0x90 [nfs]     before Linux 4.14
//	[<ffffffffffffffff>] 0xffffffffffffffff                the end, on some
func StackFunctions(stack string, most int) string {
	var out []byte
	for line := range strings.Lines(stack) {
		_, name, ok := strings.Cut(line, "] ")
		if !ok || strings.HasPrefix(name, "0x") {
			continue
		}
		if most--; most < 0 {
			break
		}
		name, _, _ = strings.Cut(strings.TrimSpace(name), "+")
		name, _, _ = strings.Cut(name, " ") // without an offset
		if len(out) > 0 {
			out = append(out, ' ')
		}
		out = append(out, name...)
	}
	return string(out)
}
