//go:build !unix

package hostfs

// openNonblock does not exist here; such a system reads captured trees only.
const openNonblock = 0
