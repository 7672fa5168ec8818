package hostfs

import (
	"encoding/binary"
	"errors"
	"slices"
	"syscall"
	"testing"
)

// diagMessage builds what the kernel answers: header, payload, padding.
func diagMessage(kind uint16, payload []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(nlHeader+len(payload)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(append(b, make([]byte, nlHeader-6)...), payload...)
	return append(b, make([]byte, align4(len(b))-len(b))...)
}

func diagSocketOf(state byte, inode, peer uint32, name string) []byte {
	b := binary.NativeEndian.AppendUint32([]byte{afUnix, 1, state, 0}, inode)
	b = append(b, make([]byte, 8)...)
	attribute := func(kind uint16, value []byte) {
		b = binary.NativeEndian.AppendUint16(b, uint16(4+len(value)))
		b = append(binary.NativeEndian.AppendUint16(b, kind), value...)
		b = append(b, make([]byte, align4(len(b))-len(b))...)
	}
	if name != "" {
		attribute(unixDiagName, []byte(name))
	}
	if peer != 0 {
		attribute(unixDiagPeer, binary.NativeEndian.AppendUint32(nil, peer))
	}
	return diagMessage(sockDiagByFamily, b)
}

func TestParseUnixDiag(t *testing.T) {
	answer := slices.Concat(
		diagSocketOf(TCPListen, 10, 0, "/run/docker.sock\x00"),
		diagSocketOf(TCPEstablished, 11, 12, "/run/docker.sock\x00"),
		diagSocketOf(TCPEstablished, 12, 11, ""),
		diagSocketOf(TCPClose, 13, 0, "\x00a\x00b"),
		diagMessage(nlDone, make([]byte, 4)))
	var got []UnixSocket
	done, err := ParseUnixDiag(answer, func(s UnixSocket) { got = append(got, s) })
	if !done || err != nil || len(got) != 4 {
		t.Fatalf("got %+v %v %v", got, done, err)
	}
	for i, want := range []UnixSocket{{UnixListen, 10, 0, []byte("/run/docker.sock")}, {UnixConnected, 11, 12, []byte("/run/docker.sock")},
		{UnixConnected, 12, 11, nil}, {UnixUnconnected, 13, 0, []byte("@a@b")}} {
		if g := got[i]; g.State != want.State || g.Inode != want.Inode || g.Peer != want.Peer || string(g.Path) != string(want.Path) {
			t.Errorf("got %+v, want %+v", g, want)
		}
	}
}

func TestKernelWithoutUnixDiagSaysSo(t *testing.T) {
	missing := -int32(syscall.ENOENT)
	_, err := ParseUnixDiag(diagMessage(nlError, binary.NativeEndian.AppendUint32(nil, uint32(missing))), nil)
	if !errors.Is(err, syscall.ENOENT) {
		t.Errorf("got %v", err)
	}
}

func FuzzParseUnixDiag(f *testing.F) {
	f.Add(diagSocketOf(TCPEstablished, 11, 12, "/run/docker.sock\x00"))
	f.Add(append(diagSocketOf(TCPListen, 10, 0, "\x00x"), diagMessage(nlDone, nil)...))
	f.Add(diagMessage(nlError, []byte{1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = ParseUnixDiag(b, func(s UnixSocket) {
			if s.Inode == 0 || len(s.Path) > len(b) {
				t.Fatalf("got %+v", s)
			}
		})
	})
}
