package report

import (
	"bytes"
	"compress/gzip"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	"sigs.k8s.io/json"
)

// A node is hostile input. These bound what a report may cost to decode,
// whatever it claims: 20 MiB of "{}," would else be gigabytes of heap.
const (
	maxReportBytes   = 64 << 20
	maxReportTokens  = 4_000_000
	maxReportDepth   = 32
	maxArrayElements = 300_000
)

// DecodeReport reverses EncodeReport, for bytes that nobody vouches for.
func DecodeReport(packed []byte) (*NodeReport, error) {
	in := bytes.NewReader(packed)
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("failed to unpack the report: %w", err)
	}
	z.Multistream(false)
	data, err := io.ReadAll(io.LimitReader(z, maxReportBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("failed to unpack the report: %w", err)
	case len(data) > maxReportBytes:
		return nil, fmt.Errorf("the report is larger than %d MiB", maxReportBytes>>20)
	case in.Len() > 0:
		return nil, errors.New("failed to unpack the report: bytes after its end")
	}
	r := &NodeReport{}
	if err := UnmarshalUntrusted(data, r); err != nil {
		return nil, fmt.Errorf("failed to decode the report: %w", err)
	}
	return r, r.Check()
}

// Check refuses a report of a schema that this program does not know.
func (r *NodeReport) Check() error {
	if r.APIVersion != APIVersion || r.Kind != Kind {
		return fmt.Errorf("the report is %q of %q, this program reads %q of %q: use the version that made it",
			r.Kind, r.APIVersion, Kind, APIVersion)
	}
	return nil
}

// UnmarshalUntrusted decodes JSON into the value that v points to. It refuses
// trailing data, duplicate keys and more elements than any node has, and
// passes every string through Clean. Unknown fields are skipped.
func UnmarshalUntrusted(data []byte, v any) error {
	if err := checkBudget(data); err != nil {
		return err
	}
	strict, err := json.UnmarshalStrict(data, v, json.DisallowDuplicateFields)
	if err == nil {
		err = errors.Join(strict...)
	}
	if err != nil {
		return err
	}
	cleanStrings(reflect.ValueOf(v))
	return nil
}

// checkBudget reads the tokens of data without keeping them.
func checkBudget(data []byte) error {
	d := stdjson.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var elements []int // per open array or object
	for tokens := 0; ; tokens++ {
		t, err := d.Token()
		if errors.Is(err, io.EOF) && tokens > 0 {
			return nil
		}
		if err != nil {
			return err
		}
		if n := len(elements); n > 0 {
			if elements[n-1]++; elements[n-1] > maxArrayElements {
				return fmt.Errorf("more than %d elements in one list", maxArrayElements)
			}
		}
		switch t {
		case stdjson.Delim('{'), stdjson.Delim('['):
			elements = append(elements, 0)
		case stdjson.Delim('}'), stdjson.Delim(']'):
			elements = elements[:len(elements)-1]
		}
		if len(elements) > maxReportDepth || tokens > maxReportTokens {
			return errors.New("nested too deep, or too many elements for one node")
		}
	}
}

// cleanStrings applies Clean to every string that v leads to.
func cleanStrings(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			cleanStrings(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			cleanStrings(v.Field(i))
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			cleanStrings(v.Index(i))
		}
	case reflect.Map:
		cleanMap(v)
	case reflect.String:
		if v.CanSet() {
			v.SetString(Clean(v.String()))
		}
	}
}

func cleanMap(m reflect.Value) {
	for _, k := range m.MapKeys() {
		value := reflect.New(m.Type().Elem()).Elem()
		value.Set(m.MapIndex(k))
		cleanStrings(value)
		key := reflect.New(m.Type().Key()).Elem()
		key.Set(k)
		cleanStrings(key)
		m.SetMapIndex(k, reflect.Value{})
		m.SetMapIndex(key, value)
	}
}
