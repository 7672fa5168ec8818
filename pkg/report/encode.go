package report

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"reflect"
	"strings"
)

// EncodeReport packs a report for a frame: gzip of its JSON.
func EncodeReport(r *NodeReport) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := WriteJSON(z, r); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// WriteJSON writes the JSON that json.Marshal makes, but for space between
// elements. That keeps all of it in a buffer, which grows by doubling: of 26,000
// mounts 24 MB. Here each element of a section's lists is a piece.
func WriteJSON(w io.Writer, r *NodeReport) error {
	p := pieces{w: w}
	p.json = json.NewEncoder(&p.buf)
	p.object(reflect.ValueOf(r).Elem(), true)
	p.flush(0)
	return p.err
}

// pieces writes one after another, until the first error.
type pieces struct {
	w    io.Writer
	buf  bytes.Buffer
	json *json.Encoder // into buf
	err  error
}

func (p *pieces) text(s string) { p.buf.WriteString(s) }

// piece writes what v points at by encoding/json.
func (p *pieces) piece(v reflect.Value) {
	if p.err == nil {
		p.err = p.json.Encode(v.Addr().Interface())
	}
	p.flush(32 << 10)
}

// flush writes what there is, if there is more than that.
func (p *pieces) flush(more int) {
	if p.err == nil && p.buf.Len() > more {
		_, p.err = p.buf.WriteTo(p.w)
	}
}

// object writes a struct field by field, and its sections likewise.
func (p *pieces) object(v reflect.Value, sections bool) {
	p.text("{")
	p.fields(v, sections, "")
	p.text("}")
}

// fields writes them with a comma between, and before the first what it is given;
// it gives what comes before a next one.
func (p *pieces) fields(v reflect.Value, sections bool, before string) string {
	for i := range v.NumField() {
		field, f := v.Type().Field(i), v.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous:
			before = p.fields(f, sections, before)
			continue
		case options == "omitempty" && isEmpty(f) || options == "omitzero" && f.IsZero():
			continue
		}
		p.text(before + `"` + name + `":`)
		before = ","
		switch {
		case sections && f.Kind() == reflect.Pointer:
			p.object(f.Elem(), false)
		case f.Kind() == reflect.Slice && f.Len() > 0 && f.Type().Elem().Kind() != reflect.Uint8: // bytes are base64
			p.list(f)
		default:
			p.piece(f)
		}
	}
	return before
}

func (p *pieces) list(v reflect.Value) {
	before := "["
	for i := range v.Len() {
		p.text(before)
		p.piece(v.Index(i))
		before = ","
	}
	p.text("]")
}

// isEmpty is what encoding/json leaves out for "omitempty".
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.String:
		return v.Len() == 0
	case reflect.Struct, reflect.Array:
		return false
	}
	return v.IsZero()
}
