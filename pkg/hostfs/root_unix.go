//go:build unix

package hostfs

import "syscall"

const openNonblock = syscall.O_NONBLOCK
