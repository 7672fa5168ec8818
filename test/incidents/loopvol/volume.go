// Package loopvol makes volumes as a node has them, ext4 on a loop device each,
// by the thousand: with system calls, as a program for each mount would take
// minutes. It runs on the node.
package loopvol

// Volume is one that Make mounts.
type Volume struct {
	// Image is the file behind the device, a copy of the template.
	Image string
	// Points are mount points: the device is mounted on the first, which is bound
	// to the others.
	Points []string
}
