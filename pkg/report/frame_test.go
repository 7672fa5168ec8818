package report

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

const nonce = "n0nce"

func frame(t testing.TB, typ, payload string) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteFrame(&b, nonce, Frame{Type: typ, Payload: []byte(payload)}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFramesAmongNoise(t *testing.T) {
	big := strings.Repeat("0123456789", 100_000)
	stream := "banner without newline" + frame(t, FrameHello, "v1") + "noise\n\n" + frame(t, FrameReport, big) +
		strings.ReplaceAll(frame(t, FrameReport, "other session"), nonce, "another") + frame(t, FrameError, "")
	fr := NewFrameReader(iotest.OneByteReader(strings.NewReader(stream)), nonce)
	for _, want := range []Frame{{FrameHello, []byte("v1")}, {FrameReport, []byte(big)}, {FrameError, nil}} {
		got, err := fr.Next()
		if err != nil {
			t.Fatal(err)
		}
		if got.Type != want.Type || !bytes.Equal(got.Payload, want.Payload) {
			t.Fatalf("got %s of %d bytes, want %s of %d", got.Type, len(got.Payload), want.Type, len(want.Payload))
		}
	}
	if _, err := fr.Next(); !errors.Is(err, ErrTruncated) {
		t.Fatalf("at the end: %v, want ErrTruncated", err)
	}
	if !strings.HasPrefix(string(fr.Noise), "banner without newline") {
		t.Errorf("noise %q is not kept", fr.Noise)
	}
}

func TestFrameCutAnywhereIsNoFrame(t *testing.T) {
	whole := frame(t, FrameReport, strings.Repeat("x", 5000))
	for n := range len(whole) - 1 {
		if f, err := NewFrameReader(strings.NewReader(whole[:n]), nonce).Next(); err == nil {
			t.Fatalf("cut after %d of %d bytes: got %s of %d bytes", n, len(whole), f.Type, len(f.Payload))
		}
	}
}

func TestDamagedFrame(t *testing.T) {
	whole := frame(t, FrameReport, strings.Repeat("x", 5000))
	for name, bad := range map[string]string{
		"one character changed": strings.Replace(whole, "eHh4", "eHh5", 1),
		"a line lost":           strings.Join(append(strings.SplitAfter(whole, "\n")[:1], strings.SplitAfter(whole, "\n")[2:]...), ""),
		"foreign line within":   strings.Replace(whole, "\n", "\nlog line!\n", 1),
		"hash changed":          strings.Replace(whole, " 5000 ", " 4999 ", 1),
		"absurd length":         strings.Replace(whole, " 5000 ", " 999999999999 ", 1),
		"endless noise":         strings.Repeat("y", 2*MaxNoise) + whole,
	} {
		t.Run(name, func(t *testing.T) {
			if f, err := NewFrameReader(strings.NewReader(bad), nonce).Next(); err == nil {
				t.Fatalf("got %s of %d bytes, want an error", f.Type, len(f.Payload))
			}
		})
	}
}

func FuzzFrameReader(f *testing.F) {
	f.Add([]byte(frame(f, FrameReport, "hello")))
	f.Add([]byte("NODEDOC1 report n0nce 1 00\nAA==\n"))
	f.Add([]byte("NODEDOC1 NODEDOC1 report n0nce -1 zz\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		fr := NewFrameReader(bytes.NewReader(in), nonce)
		for {
			got, err := fr.Next()
			if err != nil {
				return
			}
			// What was accepted must survive a round trip.
			var b bytes.Buffer
			if err := WriteFrame(&b, nonce, got); err != nil {
				t.Fatal(err)
			}
			if again, err := NewFrameReader(&b, nonce).Next(); err != nil && !strings.Contains(err.Error(), "limit") || !bytes.Equal(again.Payload, got.Payload) {
				t.Fatalf("round trip of %q: %v", got.Payload, err)
			}
		}
	})
}

func TestReaderErrorIsPassedOn(t *testing.T) {
	broken := errors.New("connection reset")
	_, err := NewFrameReader(io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken)), nonce).Next()
	if !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
}
