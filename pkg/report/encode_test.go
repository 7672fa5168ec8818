package report

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

// fill sets everything that v leads to, so that no field is left out.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString(`a "<&>` + "\u2028")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	default:
		panic("a report has no " + v.Kind().String())
	}
}

// The pieces must be what the standard library makes of the whole: of a report
// with every field, with none, and with sections that are there and empty.
func TestPiecesAreTheWhole(t *testing.T) {
	full, sections := NodeReport{}, NodeReport{}
	fill(reflect.ValueOf(&full).Elem())
	for v, i := reflect.ValueOf(&sections).Elem(), 0; i < v.NumField(); i++ {
		if f := v.Field(i); f.Kind() == reflect.Pointer {
			f.Set(reflect.New(f.Type().Elem()))
		}
	}
	for name, r := range map[string]*NodeReport{"full": &full, "empty": {}, "empty sections": &sections} {
		t.Run(name, func(t *testing.T) {
			want, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			var written, got bytes.Buffer
			if err := WriteJSON(&written, r); err != nil {
				t.Fatal(err)
			}
			if err := json.Compact(&got, written.Bytes()); err != nil {
				t.Fatalf("%v in %s", err, &written)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("by pieces:\n%s\nby encoding/json:\n%s", &got, want)
			}
		})
	}
}

// No partial report passes for a whole one where the stream breaks.
func TestWriteJSONSaysThatTheStreamBroke(t *testing.T) {
	r := NodeReport{}
	fill(reflect.ValueOf(&r).Elem())
	var whole bytes.Buffer
	if err := WriteJSON(&whole, &r); err != nil {
		t.Fatal(err)
	}
	for room := 0; room < whole.Len(); room += 97 {
		if err := WriteJSON(&narrow{room}, &r); err == nil {
			t.Fatalf("with room for %d of %d bytes there was no error", room, whole.Len())
		}
	}
}

// narrow takes so many bytes.
type narrow struct{ room int }

func (n *narrow) Write(b []byte) (int, error) {
	if n.room -= len(b); n.room < 0 {
		return 0, bytes.ErrTooLarge
	}
	return len(b), nil
}
