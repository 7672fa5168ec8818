package hostfs

import (
	"net/netip"
	"strconv"
)

// IsAny says whether this is no address: 0.0.0.0 or ::.
func (a InetAddr) IsAny() bool {
	ip := netip.AddrFrom16(a.IP).Unmap()
	return ip.IsUnspecified()
}

// Host is the address alone, "10.0.0.1" or "fd00::1".
func (a InetAddr) Host() string { return netip.AddrFrom16(a.IP).Unmap().String() }

// String is "10.0.0.1:443" or "[fd00::1]:443".
func (a InetAddr) String() string {
	ip := netip.AddrFrom16(a.IP).Unmap()
	if ip.Is4() {
		return ip.String() + ":" + strconv.Itoa(int(a.Port))
	}
	return "[" + ip.String() + "]:" + strconv.Itoa(int(a.Port))
}
