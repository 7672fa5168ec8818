package saved

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func testReport() *report.NodeReport {
	limit, before := uint64(1<<63-1), 0
	return &report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind,
		Node:      report.Node{Hostname: "n1", BootTime: 1_700_000_000},
		OpenFiles: &report.OpenFiles{Max: &limit, Samples: []report.FileSample{{Allocated: 5}}},
		Processes: &report.Processes{List: []report.Process{{PID: 1, Comm: `a\x1b`, FDs: &report.FDs{Count: 3, Before: &before}}}, Cgroups: []report.Cgroup{{}}},
	}
}

func testInventory() *inventory.Inventory {
	return &inventory.Inventory{Node: "n1", PodsError: "", Pods: []inventory.Pod{{Namespace: "prod", Name: "hub-0", UID: "u", Workload: "StatefulSet/hub"}}}
}

func TestRoundTrip(t *testing.T) {
	for name, inv := range map[string]*inventory.Inventory{"with inventory": testInventory(), "without": nil} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "node.json")
			if err := Write(path, testReport(), inv); err != nil {
				t.Fatal(err)
			}
			r, i, err := Read(path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(r, testReport()) || !reflect.DeepEqual(i, inv) {
				t.Errorf("got %+v and %+v", r, i)
			}
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if r, _, err := Read("-", file); err != nil || !reflect.DeepEqual(r, testReport()) {
				t.Errorf("from stdin: got %+v, %v", r, err)
			}
		})
	}
}

func TestReadBareReport(t *testing.T) {
	data, err := json.Marshal(testReport())
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string][]byte{
		"as the probe prints it": data,
		"indented":               indented(t, data),
		"saved by Notepad":       append([]byte("\xef\xbb\xbf"), data...),
	} {
		t.Run(name, func(t *testing.T) {
			r, inv, err := Read("-", bytes.NewReader(in))
			if err != nil || inv != nil || !reflect.DeepEqual(r, testReport()) {
				t.Errorf("got %+v, %+v, %v", r, inv, err)
			}
		})
	}
}

func indented(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const (
	bare = `{"apiVersion":"nodedoc.io/v1alpha1","kind":"NodeReport"}`
	file = `{"apiVersion":"nodedoc.io/v1alpha1","kind":"SavedReport","report":`
)

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"nothing":                {"", `"-" is not a report: unexpected end of JSON input`},
		"garbage":                {"<html>", `"-" is not a report: invalid character '<' looking for beginning of value`},
		"a list":                 {"[]", `"-" is not a report: it is JSON, but no object with a kind`},
		"a kind that is a list":  {`{"kind":[]}`, `"-" is not a report: it is JSON, but no object with a kind`},
		"null":                   {"null", `"-": it holds a "", not a SavedReport or NodeReport`},
		"no kind":                {"{}", `"-": it holds a "", not a SavedReport or NodeReport`},
		"a pod":                  {`{"apiVersion":"v1","kind":"Pod"}`, `"-": it holds a "Pod", not a SavedReport or NodeReport`},
		"a pod named like ESC":   {`{"kind":"\u001b[2J\u202e"}`, `"-": it holds a "\x1b[2J\u202e", not a SavedReport or NodeReport`},
		"a newer report":         {`{"apiVersion":"nodedoc.io/v9","kind":"NodeReport"}`, `"-": the report is "NodeReport" of "nodedoc.io/v9", this program reads "NodeReport" of "nodedoc.io/v1alpha1": use the version that made it`},
		"a newer file":           {`{"apiVersion":"nodedoc.io/v9","kind":"SavedReport","report":` + bare + `}`, `"-": it is a SavedReport of "nodedoc.io/v9", this program reads "nodedoc.io/v1alpha1": use the version that made it`},
		"a newer report in it":   {file + `{"apiVersion":"nodedoc.io/v9","kind":"NodeReport"}}`, `"-": the report is "NodeReport" of "nodedoc.io/v9", this program reads "NodeReport" of "nodedoc.io/v1alpha1": use the version that made it`},
		"no report in it":        {`{"apiVersion":"nodedoc.io/v1alpha1","kind":"SavedReport"}`, `"-": it has no report in it`},
		"null for a report":      {file + `null}`, `"-": it has no report in it`},
		"cut short":              {file + bare, `"-" is not a report: unexpected end of JSON input`},
		"two documents":          {bare + bare, `"-" is not a report: invalid character '{' after top-level value`},
		"a NUL behind":           {bare + "\x00", `"-" is not a report: invalid character '\x00' after top-level value`},
		"kind twice":             {`{"kind":"Pod","apiVersion":"nodedoc.io/v1alpha1","kind":"NodeReport"}`, `failed to decode the report "-": duplicate field "kind"`},
		"kind in capitals too":   {`{"KIND":"NodeReport","apiVersion":"nodedoc.io/v1alpha1"}`, `"-": the report is "" of "nodedoc.io/v1alpha1", this program reads "NodeReport" of "nodedoc.io/v1alpha1": use the version that made it`},
		"a key twice, deep down": {file + `{"node":{"hostname":"a","hostname":"b"}}}`, `failed to decode the report "-": duplicate field "report.node.hostname"`},
		"a string for a number":  {file + `{"probe":{"pid":"1"}}}`, `failed to decode the report "-": json: cannot unmarshal string into Go struct field Probe.report.probe.pid of type int`},
		"an element bomb":        {file + `{"processes":{"list":[` + strings.Repeat("{},", 400_000) + `{}]}}}`, `failed to decode the report "-": more than 300000 elements in one list`},
		"nested":                 {file + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`, `failed to decode the report "-": nested too deep, or too many elements for one node`},
	} {
		t.Run(name, func(t *testing.T) {
			r, _, err := Read("-", strings.NewReader(c.in))
			if err == nil || err.Error() != c.want || r != nil {
				t.Errorf("got %+v and %v\nwant %s", r, err, c.want)
			}
		})
	}
}

func TestReadCleans(t *testing.T) {
	in := file + `{"apiVersion":"nodedoc.io/v1alpha1","kind":"NodeReport","node":{"hostname":"a\u001b[2J"}},"inventory":{"node":"n","pods":[{"namespace":"p","name":"\u009b31m"}]}}`
	r, inv, err := Read("-", strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	if r.Node.Hostname != `a\x1b[2J` || inv.Pods[0].Name != `\u009b31m` {
		t.Errorf("got %q and %q", r.Node.Hostname, inv.Pods[0].Name)
	}
}

func TestReadTellsWhyTheFileIsUnreadable(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		path  string
		stdin io.Reader
		want  string
	}{
		"absent":       {filepath.Join(dir, "no"), nil, "no such file"},
		"a directory":  {dir, nil, "is a directory"},
		"broken stdin": {"-", iotest.ErrReader(errors.New("it broke")), `failed to read the report "-": it broke`},
		"endless":      {"-", endless{}, `failed to read the report "-": it is larger than 256 MiB`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := Read(c.path, c.stdin); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// endless is a device like /dev/zero.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func FuzzRead(f *testing.F) {
	f.Add([]byte(bare))
	f.Add([]byte(file + bare + `,"inventory":{"node":"n","pods":[{"containers":[{"name":"\u202e"}]}]}}`))
	f.Add([]byte("\xef\xbb\xbf" + bare))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, inv, err := Read("-", bytes.NewReader(in))
		if err != nil {
			return
		}
		if r == nil || r.Kind != report.Kind || r.APIVersion != report.APIVersion {
			t.Fatalf("accepted %+v", r)
		}
		path := filepath.Join(t.TempDir(), "again")
		if err := Write(path, r, inv); err != nil {
			t.Fatal(err)
		}
		again, inv2, err := Read(path, nil)
		if err != nil {
			t.Fatalf("what was read cannot be written and read again: %v", err)
		}
		if !sameJSON(t, again, r) || !sameJSON(t, inv2, inv) {
			t.Fatalf("changed by saving: %+v, was %+v", again, r)
		}
	})
}

func sameJSON(t *testing.T, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(x, y)
}
