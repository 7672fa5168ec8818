package report

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A node is hostile input here, too.
const (
	maxSamplesBytes  = 64 << 20
	maxSamples       = 200_000
	maxSampleEntries = 10_000_000 // owners and processes of all samples
	maxValue         = 1 << 60
)

var errSample = errors.New("torn, or no sample")

// Append encodes a sample: varints, cgroups as the distance to the one before,
// memory in KiB.
func (s *Sample) Append(b []byte) []byte {
	jump := uint64(0)
	if s.Jump {
		jump = 1
	}
	for _, v := range [...]uint64{uint64(s.At), uint64(s.Uptime), uint64(s.Span), uint64(s.Count), jump} {
		b = binary.AppendUvarint(b, v)
	}
	for _, v := range s.Totals {
		b = binary.AppendUvarint(b, uint64(v+1)) // 0 is unknown
	}
	b = binary.AppendUvarint(b, uint64(len(s.Owners)))
	last := 0
	for _, o := range s.Owners {
		b = binary.AppendUvarint(b, uint64(o.Cgroup-last))
		b = o.append(b)
		last = o.Cgroup
	}
	b = s.Left.append(b)
	b = binary.AppendUvarint(b, uint64(len(s.Processes)))
	for _, p := range s.Processes {
		b = binary.AppendUvarint(b, uint64(p.Process))
		b = SampleOwner{Memory: p.RSS, FDs: p.FDs, Tasks: p.Threads}.append(b)
	}
	return b
}

func (o SampleOwner) append(b []byte) []byte {
	b = binary.AppendUvarint(b, o.Memory>>10)
	b = binary.AppendUvarint(b, o.FDs)
	return binary.AppendUvarint(b, o.Tasks)
}

// sampleReader takes numbers off b; the first that is not there, or is beyond
// reason, fails it.
type sampleReader struct {
	b      []byte
	failed bool
}

func (r *sampleReader) next() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > maxValue {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count is the length of a list whose elements have so many bytes at least.
func (r *sampleReader) count(least int) int {
	n := r.next()
	if n > uint64(len(r.b)/least) {
		r.failed, r.b = true, nil
		return 0
	}
	return int(n)
}

func (r *sampleReader) owner() SampleOwner {
	memory := r.next()
	if memory > maxValue>>10 {
		r.failed = true
	}
	return SampleOwner{Memory: memory << 10, FDs: r.next(), Tasks: r.next()}
}

// Decode reverses Append.
func (s *Sample) Decode(b []byte) error {
	r := sampleReader{b: b}
	*s = Sample{At: int64(r.next()), Uptime: int64(r.next()), Span: int64(r.next()), Count: int(r.next()), Jump: r.next() != 0,
		Owners: s.Owners[:0], Processes: s.Processes[:0]}
	for i := range s.Totals {
		s.Totals[i] = int64(r.next()) - 1
	}
	last := 0
	for range r.count(4) {
		last += int(r.next())
		o := r.owner()
		o.Cgroup = last
		s.Owners = append(s.Owners, o)
	}
	s.Left = r.owner()
	for range r.count(4) {
		p := SampleProcess{Process: int(r.next())}
		o := r.owner()
		p.RSS, p.FDs, p.Threads = o.Memory, o.FDs, o.Tasks
		s.Processes = append(s.Processes, p)
	}
	if r.failed || len(r.b) > 0 || last < 0 {
		return errSample
	}
	return nil
}

// PackSamples packs encoded samples: gzip of each one behind its length.
func PackSamples(encoded [][]byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	for _, e := range encoded {
		if _, err = z.Write(binary.AppendUvarint(nil, uint64(len(e)))); err == nil {
			_, err = z.Write(e)
		}
		if err != nil {
			return nil, err
		}
	}
	err = z.Close()
	return b.Bytes(), err
}

// UnpackSamples reverses PackSamples, for bytes that nobody vouches for. cgroups
// and processes bound what samples may speak of.
func UnpackSamples(packed []byte, cgroups, processes int) ([]Sample, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("failed to unpack the samples: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(z, maxSamplesBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("failed to unpack the samples: %w", err)
	case len(data) > maxSamplesBytes:
		return nil, fmt.Errorf("the samples are larger than %d MiB", maxSamplesBytes>>20)
	}
	var samples []Sample
	entries := 0
	for len(data) > 0 {
		length, n := binary.Uvarint(data)
		if n <= 0 || length > uint64(len(data)-n) || len(samples) == maxSamples {
			return nil, fmt.Errorf("sample %d: %w", len(samples), errSample)
		}
		var s Sample
		if err := s.Decode(data[n : n+int(length)]); err != nil {
			return nil, fmt.Errorf("sample %d: %w", len(samples), err)
		}
		if entries += len(s.Owners) + len(s.Processes); entries > maxSampleEntries || !s.within(cgroups, processes) {
			return nil, fmt.Errorf("sample %d: %w", len(samples), errSample)
		}
		samples = append(samples, s)
		data = data[n+int(length):]
	}
	return samples, nil
}

// within says whether all that a sample speaks of is there.
func (s *Sample) within(cgroups, processes int) bool {
	for _, o := range s.Owners { // ascending, but for a sum that overflows
		if o.Cgroup < 0 || o.Cgroup >= cgroups {
			return false
		}
	}
	for _, p := range s.Processes {
		if p.Process < 0 || p.Process >= processes {
			return false
		}
	}
	return s.Count > 0
}
