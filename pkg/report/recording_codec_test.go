package report

import (
	"reflect"
	"testing"
)

func testSample() Sample {
	s := Sample{At: 1_700_000_000_000, Uptime: 5000, Span: 30_000, Count: 2, Jump: true,
		Owners: []SampleOwner{{0, 0, 0, 70}, {3, 5 << 30, 12, 4}, {4000, 1 << 10, 0, 1}},
		Left:   SampleOwner{Memory: 7 << 10, FDs: 1}, Processes: []SampleProcess{{9, 4 << 30, 3, 2}}}
	for i := range s.Totals {
		s.Totals[i] = int64(i) << 30
	}
	s.Totals[TotalPressure], s.Totals[TotalFiles] = Unknown, 0
	return s
}

func TestSampleRoundTrip(t *testing.T) {
	want := testSample()
	var got Sample
	if err := got.Decode(want.Append(nil)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v %v, want %+v", got, err, want)
	}
	packed, err := PackSamples([][]byte{want.Append(nil), want.Append(nil)})
	if err != nil {
		t.Fatal(err)
	}
	all, err := UnpackSamples(packed, 4001, 10)
	if err != nil || len(all) != 2 || !reflect.DeepEqual(all[1], want) {
		t.Errorf("got %+v %v", all, err)
	}
}

func TestSamplesThatAreNone(t *testing.T) {
	good := testSample()
	huge := Sample{Count: 1}
	huge.Owners = []SampleOwner{{Cgroup: 1 << 59}, {Cgroup: 1 << 60}}
	for name, c := range map[string]struct {
		encoded            []byte
		cgroups, processes int
	}{
		"a cgroup that is not there":    {good.Append(nil), 4000, 10},
		"a process that is not there":   {good.Append(nil), 4001, 9},
		"cut short":                     {good.Append(nil)[:40], 4001, 10},
		"bytes after its end":           {append(good.Append(nil), 1), 4001, 10},
		"empty":                         {nil, 4001, 10},
		"an index out of reach":         {huge.Append(nil), 4001, 10},
		"stands for no moment":          {(&Sample{}).Append(nil), 1, 1},
		"a list longer than its bytes":  {append((&Sample{Count: 1}).Append(nil)[:5+NumTotals], 0xff, 0xff, 0xff, 0x7f), 1, 1},
		"a number of more than 60 bits": {append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, good.Append(nil)[6:]...), 4001, 10},
	} {
		t.Run(name, func(t *testing.T) {
			packed, err := PackSamples([][]byte{c.encoded})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := UnpackSamples(packed, c.cgroups, c.processes); err == nil {
				t.Errorf("got %+v", got)
			}
		})
	}
	if _, err := UnpackSamples([]byte("no gzip"), 1, 1); err == nil {
		t.Error("what is no gzip was unpacked")
	}
}

func FuzzUnpackSamples(f *testing.F) {
	s := testSample()
	for _, seed := range [][][]byte{{s.Append(nil)}, {s.Append(nil), s.Append(nil)[:9]}, {{}}, nil} {
		packed, err := PackSamples(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := UnpackSamples(b, 50, 50)
		if err != nil {
			return
		}
		for _, s := range all {
			var again Sample
			if err := again.Decode(s.Append(nil)); err != nil || !s.within(50, 50) {
				t.Fatalf("%+v: %v", s, err)
			}
		}
	})
}

// The bytes behind the gzip are what matters.
func FuzzDecodeSample(f *testing.F) {
	s := testSample()
	f.Add(s.Append(nil))
	f.Add((&Sample{Count: 1}).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s, again Sample
		if s.Decode(b) != nil {
			return
		}
		if !s.within(1<<30, 1<<30) {
			return
		}
		if err := again.Decode(s.Append(nil)); err != nil || len(again.Owners) != len(s.Owners) || again.Totals != s.Totals {
			t.Fatalf("%+v is %+v again: %v", s, again, err)
		}
	})
}
