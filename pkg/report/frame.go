package report

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"strings"
)

// A frame carries one message through a container's stdin or stdout, among
// whatever else is printed there:
//
//	NODEDOC1 <type> <nonce> <bytes> <hash>\n
//	<payload in base64, in lines>\n
//
// Base64 because a container's log may be kept as JSON, which is no place for
// arbitrary bytes, and the log is the second way to the report. Length and hash
// come first and the nonce names the session: what does not match is no frame.
//
// The hash, FNV-1a of 128 bits, is against what gets lost or mixed on the way; who
// may write in the probe's place, can hash too. crypto/sha256 would add 43 kB, packed.
const magic = "NODEDOC1"

// hashBytes is the size of a hash.
const hashBytes = 16

func hashOf(payload []byte) (sum [hashBytes]byte) {
	h := fnv.New128a()
	h.Write(payload)
	h.Sum(sum[:0])
	return sum
}

// Types of frames, in the order of a session.
const (
	FrameHello   = "hello"   // probe to client: I run; payload: its version
	FrameRequest = "request" // client to probe: a Request in JSON
	FrameRecord  = "record"  // client to probe: a Request in JSON; the probe records from now on, also without a client
	FrameReport  = "report"  // probe to client: EncodeReport's bytes
	FrameError   = "error"   // probe to client, in place of a report: a sentence
	FrameWait    = "wait"    // standby to client, before a report: the request is heard; payload: how many are served first
	FrameAck     = "ack"     // client to probe: arrived whole, you may go
)

const (
	// MaxFrame bounds a frame's payload in bytes.
	MaxFrame = 32 << 20
	// MaxNoise bounds what is skipped before a frame, unless a reader is told otherwise.
	MaxNoise  = 1 << 20
	lineBytes = 3072 // payload bytes per line: 4096 characters, below a log's 16 KiB chunks
)

// ErrTruncated says that the stream ended before or within a frame.
var ErrTruncated = errors.New("the stream ended before a whole message had arrived")

// Frame is one message.
type Frame struct {
	Type    string
	Payload []byte
}

// WriteFrame writes f for the session that nonce names.
func WriteFrame(w io.Writer, nonce string, f Frame) error {
	sum := hashOf(f.Payload)
	var b bytes.Buffer
	b.Grow(256 + base64.StdEncoding.EncodedLen(len(f.Payload)) + len(f.Payload)/lineBytes)
	fmt.Fprintf(&b, "%s %s %s %d %x\n", magic, f.Type, nonce, len(f.Payload), sum)
	for rest := f.Payload; len(rest) > 0; {
		n := min(lineBytes, len(rest))
		b.WriteString(base64.StdEncoding.EncodeToString(rest[:n]))
		b.WriteByte('\n')
		rest = rest[n:]
	}
	_, err := w.Write(b.Bytes())
	return err
}

// FrameReader reads the frames of one session and skips everything else.
type FrameReader struct {
	r     *bufio.Reader
	nonce string
	// MaxNoise bounds, in bytes, what is skipped before a frame.
	MaxNoise int
	// Noise holds the start of what was skipped, for error messages.
	Noise []byte
}

// NewFrameReader reads frames that carry nonce from r.
func NewFrameReader(r io.Reader, nonce string) *FrameReader {
	return &FrameReader{r: bufio.NewReaderSize(r, 64<<10), nonce: nonce, MaxNoise: MaxNoise}
}

// Next returns the next frame of the session. It fails with ErrTruncated at
// the stream's end, and on a frame whose length or hash does not hold.
func (fr *FrameReader) Next() (Frame, error) {
	skipped := 0
	for {
		line, err := fr.r.ReadSlice('\n')
		if i := bytes.LastIndex(line, []byte(magic+" ")); i >= 0 && err == nil {
			if h, ok := parseHeader(string(line[i:]), fr.nonce); ok {
				fr.keepNoise(line[:i])
				return fr.payload(h)
			}
		}
		fr.keepNoise(line)
		if skipped += len(line); skipped > fr.MaxNoise {
			return Frame{}, fmt.Errorf("more than %d bytes of other output before a message", fr.MaxNoise)
		}
		switch {
		case err == nil, errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return Frame{}, ErrTruncated
		default:
			return Frame{}, err
		}
	}
}

func (fr *FrameReader) keepNoise(b []byte) {
	fr.Noise = append(fr.Noise, b[:min(len(b), 4096-len(fr.Noise))]...)
}

type header struct {
	kind  string
	bytes int
	sum   [hashBytes]byte
}

func parseHeader(line, nonce string) (header, bool) {
	var h header
	f := strings.Fields(line)
	if len(f) != 5 || f[2] != nonce {
		return h, false
	}
	n, err := strconv.Atoi(f[3])
	sum, sumErr := hex.DecodeString(f[4])
	if err != nil || n < 0 || sumErr != nil || len(sum) != len(h.sum) {
		return h, false
	}
	h.kind, h.bytes = f[1], n
	copy(h.sum[:], sum)
	return h, true
}

func (fr *FrameReader) payload(h header) (Frame, error) {
	if h.bytes > MaxFrame {
		return Frame{}, fmt.Errorf("a %s message of %d bytes is over the limit of %d", h.kind, h.bytes, MaxFrame)
	}
	payload := make([]byte, 0, min(h.bytes, 1<<20))
	for len(payload) < h.bytes {
		line, err := fr.r.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return Frame{}, ErrTruncated
		}
		if err != nil {
			return Frame{}, fmt.Errorf("damaged %s message: %w", h.kind, err)
		}
		payload, err = base64.StdEncoding.AppendDecode(payload, bytes.TrimRight(line, "\r\n"))
		if err != nil {
			return Frame{}, fmt.Errorf("damaged %s message: %w", h.kind, err)
		}
	}
	if len(payload) != h.bytes || hashOf(payload) != h.sum {
		return Frame{}, fmt.Errorf("damaged %s message: length or hash differ", h.kind)
	}
	return Frame{Type: h.kind, Payload: payload}, nil
}
