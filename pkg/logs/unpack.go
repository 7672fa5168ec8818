package logs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// journald splits messages at 48 KiB; what claims to be longer is not unpacked.
	maxUnpacked = 1 << 20
	// maxRead is what is unpacked of a text to hide what is secret in it, maxKept what is
	// then kept of it, in bytes.
	maxRead, maxKept = 16 << 10, 1000
	// maxXZDictionary is 16 MiB, as the xz file format (5.3.1) writes it; journald's is 1 MiB.
	maxXZDictionary = 24
)

var errTooLarge = errors.New("unpacks to more than a journal has")

// unpacker unpacks data objects of a journal, which a node may have made up.
type unpacker struct{ zstd *zstd.Decoder }

func newUnpacker() (*unpacker, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(8<<20), zstd.WithDecoderMaxWindow(8<<20))
	return &unpacker{z}, err
}

// unpack gives the beginning of a text.
func (u *unpacker) unpack(b report.LogBlob) ([]byte, error) {
	switch b.Compression {
	case report.CompressionZstd:
		if err := u.zstd.Reset(bytes.NewReader(b.Data)); err != nil {
			return nil, err
		}
		return beginning(u.zstd)
	case report.CompressionLZ4:
		return unpackLZ4(b.Data)
	case report.CompressionXZ:
		if !smallXZ(b.Data) {
			return nil, errTooLarge
		}
		r, err := xz.ReaderConfig{SingleStream: true}.NewReader(bytes.NewReader(b.Data))
		if err != nil {
			return nil, err
		}
		return beginning(r)
	}
	return nil, errors.New("an unknown compression")
}

func beginning(r io.Reader) ([]byte, error) {
	const fieldName = len("MESSAGE=")
	return io.ReadAll(io.LimitReader(r, int64(maxRead+fieldName)))
}

// unpackLZ4: its length in 64 bits, then one block.
func unpackLZ4(data []byte) ([]byte, error) {
	if len(data) < 8 {
		return nil, io.ErrUnexpectedEOF
	}
	n := binary.LittleEndian.Uint64(data)
	if n > maxUnpacked {
		return nil, errTooLarge
	}
	out := make([]byte, n)
	got, err := lz4.UncompressBlock(data[8:], out)
	if err != nil {
		return nil, err
	}
	return out[:min(got, maxRead+len("MESSAGE="))], nil
}

// smallXZ reads the first block's header: a dictionary is allocated as it says.
func smallXZ(data []byte) bool {
	const streamHeader, lzma2 = 12, 0x21
	if len(data) < streamHeader+2 {
		return false
	}
	flags, rest := data[streamHeader+1], data[streamHeader+2:]
	for _, size := range []byte{0x40, 0x80} { // the sizes of the block, where they are there
		if flags&size == 0 {
			continue
		}
		_, n := binary.Uvarint(rest)
		if n <= 0 {
			return false
		}
		rest = rest[n:]
	}
	return flags&3 == 0 && len(rest) >= 3 && rest[0] == lzma2 && rest[1] == 1 && rest[2] <= maxXZDictionary
}
