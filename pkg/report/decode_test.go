package report

import (
	"bytes"
	"compress/gzip"
	"reflect"
	"strings"
	"testing"
)

func pack(t testing.TB, json string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(json)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const head = `{"apiVersion":"nodedoc.io/v1alpha1","kind":"NodeReport",`

func TestReportRoundTrip(t *testing.T) {
	limit, before := uint64(100000), 0
	want := &NodeReport{APIVersion: APIVersion, Kind: Kind,
		Node:      Node{Hostname: "n", BootTime: 1700000000},
		OpenFiles: &OpenFiles{Max: &limit, Samples: []FileSample{{0, 76335}, {2000, 79220}}},
		Processes: &Processes{List: []Process{{PID: 1, Comm: `a\x1b`, FDs: &FDs{Count: 3, Before: &before}}}, Cgroups: []Cgroup{{}}},
	}
	packed, err := EncodeReport(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeReport(packed)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestDecodeReportCleansWhatAProbeLeftRaw(t *testing.T) {
	r, err := DecodeReport(pack(t, head+`"node":{"hostname":"a\u001b[2J\u202eb"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := `a\x1b[2J\u202eb`; r.Node.Hostname != want {
		t.Errorf("hostname %q, want %q", r.Node.Hostname, want)
	}
}

func TestDecodeReportRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{
		"nothing":             {nil, "unpack"},
		"not gzip":            {[]byte(head + `"node":{}}`), "unpack"},
		"gzip cut short":      {pack(t, head+`"node":{}}`)[:30], "unpack"},
		"bytes behind gzip":   {append(pack(t, head+`"node":{}}`), 'x'), "after its end"},
		"two documents":       {pack(t, head+`"node":{}} {}`), "decode"},
		"cut JSON":            {pack(t, head), "decode"},
		"duplicate key":       {pack(t, head+`"node":{"hostname":"a","hostname":"b"}}`), "duplicate"},
		"other version":       {pack(t, `{"apiVersion":"nodedoc.io/v9","kind":"NodeReport"}`), "nodedoc.io/v9"},
		"other kind":          {pack(t, `{"apiVersion":"nodedoc.io/v1alpha1","kind":"Pod"}`), "Pod"},
		"element bomb":        {pack(t, head+`"processes":{"list":[`+strings.Repeat("{},", 7<<20)+`{}]}}`), "elements"},
		"deep nesting":        {pack(t, strings.Repeat("[", 10000)+strings.Repeat("]", 10000)), "nested"},
		"gzip bomb":           {pack(t, strings.Repeat(" ", maxReportBytes+1)), "larger"},
		"string for a number": {pack(t, head+`"probe":{"pid":"1"}}`), "decode"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeReport(c.in)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func FuzzUnmarshalUntrusted(f *testing.F) {
	f.Add([]byte(head + `"processes":{"list":[{"pid":1,"fds":{"kinds":[{"name":"\u009b"}]}}]}}`))
	f.Add([]byte(`{"a":{"a":[[[]]]}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := &NodeReport{}
		if UnmarshalUntrusted(in, r) != nil {
			return
		}
		for _, s := range []string{r.Node.Hostname, r.Node.OS, r.Probe.Version} {
			if Clean(s) != s {
				t.Fatalf("%q came through", s)
			}
		}
	})
}
