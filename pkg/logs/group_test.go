package logs

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func TestParse(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse("2006-01-02T15:04:05.999999", s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for name, c := range map[string]struct {
		line, level, message string
		at                   time.Time
		local                bool
	}{
		"klog":              {`E1122 06:35:55.123456     326 kubelet.go:2400] "Message" key="v"`, Error, `"Message" key="v"`, at("0000-11-22T06:35:55.123456"), true},
		"klog in syslog":    {`Nov  2 06:35:56 node-7 kubelet[326]: W1102 06:35:55.5 326 a.go:1] x`, Warning, "x", at("0000-11-02T06:35:55.5"), true},
		"syslog alone":      {`Nov 22 06:35:56 node-7 kubelet: some words`, "", "some words", at("0000-11-22T06:35:56"), true},
		"rsyslog, RFC 3339": {`2026-11-22T06:35:56.5+01:00 node-7 containerd[1]: level=warning msg="a b"`, Warning, "a b", at("2026-11-22T05:35:56.5"), false},
		"containerd":        {`time="2026-11-22T06:35:56.5Z" level=error msg="get state for \"a\"" error="gone: \"x\"" id=7`, Error, `get state for "a" error="gone: \"x\"" id="7"`, at("2026-11-22T06:35:56.5"), false},
		"JSON":              {`{"ts":1795329356500.25,"caller":"a.go:1","msg":"it failed","err":"why"}`, Error, `it failed err="why"`, at("2026-11-22T06:35:56.50025"), false},
		"other JSON":        {`{"a":1}`, "", `{"a":1}`, time.Time{}, false},
		"a line of a stack": {"\tmain.go:1 +0x1", "", "\tmain.go:1 +0x1", time.Time{}, false},
		"broken logfmt":     {`time="2026`, "", `time="2026`, time.Time{}, false},
		"nothing":           {"", "", "", time.Time{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := parse(c.line)
			if h.level != c.level || h.message != c.message || !h.at.Equal(c.at) || h.local != c.local {
				t.Errorf("got %+v", h)
			}
		})
	}
}

// A file's lines have the node's wall clock: of Katmandu, just after New Year.
func TestSettleByTheFilesTime(t *testing.T) {
	written := time.Date(2026, 12, 31, 18, 20, 5, 0, time.UTC) // 00:05:05 in Katmandu, +05:45
	s := report.LogSource{Name: report.LogKubelet, Written: written.Unix(), Lines: []report.LogLine{
		{Text: "\tthe stack of it"},
		{Text: "E0101 00:05:04.000000 1 a.go:1] it broke"},
		{Text: "E1231 23:59:00.000000 1 a.go:1] it broke"},
		{Text: "E1231 23:00:00.000000 1 a.go:1] before that time"},
	}}
	got, err := Read(&report.Logs{Since: written.Add(-10 * time.Minute).UnixMicro(), Until: written.UnixMicro(), Sources: []report.LogSource{s}})
	if err != nil || len(got) != 1 || len(got[0].Groups) != 2 || got[0].Lines != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	g := got[0].Groups[0]
	if g.Count != 2 || g.First.Sub(time.Date(2026, 12, 31, 18, 14, 0, 0, time.UTC)) != 0 || g.Last.Sub(time.Date(2026, 12, 31, 18, 20, 4, 0, time.UTC)) != 0 {
		t.Errorf("%+v, from %s to %s", g, g.First, g.Last)
	}
	if stack := got[0].Groups[1]; stack.Last == nil || !stack.Last.Equal(*g.Last) {
		t.Errorf("%+v", stack)
	}
}

// Rates are over what was read: of a flood only the newest seconds.
func TestRates(t *testing.T) {
	until := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	s := report.LogSource{Name: report.LogRuntime, Where: "journal", Left: 5000}
	for i := range 600 {
		s.Lines = append(s.Lines, report.LogLine{At: until.Add(time.Duration(-i) * 50 * time.Millisecond).UnixMicro(), Text: fmt.Sprintf("level=error msg=\"container %d\"", i)})
	}
	read, err := Read(&report.Logs{Since: until.Add(-10 * time.Minute).UnixMicro(), Until: until.UnixMicro(), Sources: []report.LogSource{s}})
	if err != nil || len(read) != 1 {
		t.Fatal(read, err)
	}
	if l := read[0]; l.Lines != 600 || l.Left != 5000 || l.PerMinute < 1195 || l.PerMinute > 1210 || len(l.Groups) != 1 || l.Groups[0].Example != "container 0" || l.Groups[0].Level != Error {
		t.Errorf("%+v", l)
	}
}

// packed is a text in each compression that journald uses.
func packed(t testing.TB, text string) []report.LogBlob {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	var x bytes.Buffer
	w, err := xz.WriterConfig{DictCap: 1 << 20}.NewWriter(&x)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	block := make([]byte, lz4.CompressBlockBound(len(text)))
	n, err := lz4.CompressBlock([]byte(text), block, nil)
	if err != nil || n == 0 {
		t.Fatal(n, err)
	}
	return []report.LogBlob{
		{Compression: report.CompressionZstd, Data: z.EncodeAll([]byte(text), nil)},
		{Compression: report.CompressionXZ, Data: x.Bytes()},
		{Compression: report.CompressionLZ4, Data: append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), block[:n]...)},
	}
}

func TestUnpack(t *testing.T) {
	message := "GetDeviceMountRefs check failed\x1b[2J " + strings.Repeat("/var/lib/kubelet/globalmount ", 2000)
	blobs := append(packed(t, "MESSAGE="+message), packed(t, "_CMDLINE="+message)[0], report.LogBlob{Compression: "rar"}, report.LogBlob{Compression: report.CompressionXZ, Data: []byte("x")})
	texts, err := unpackAll(blobs, false)
	if err == nil {
		t.Error("two of them are broken")
	}
	for i, text := range texts {
		if want := i < 3; strings.HasPrefix(text, `GetDeviceMountRefs check failed\x1b[2J /var`) != want || len(text) > maxKept+3 {
			t.Errorf("%d: %d bytes, %.60s", i, len(text), text)
		}
	}
}

// What is kept has the texts in place of the blobs, and no secret.
func TestUnpackBeforeItIsKept(t *testing.T) {
	l := &report.Logs{Blobs: packed(t, "MESSAGE=exec failed: --password=hunter2 "+strings.Repeat("long ", 200))}
	l.Blobs = append(l.Blobs, report.LogBlob{Compression: "rar"})
	l.Sources = []report.LogSource{{Lines: []report.LogLine{{Blobs: []int{3, 0}}, {Blobs: []int{3}}, {Text: "own"}}}}
	Unpack(l, false)
	lines := l.Sources[0].Lines
	if !strings.HasPrefix(lines[0].Text, "exec failed: --password=‹redacted›") || strings.Contains(lines[0].Text, "hunter2") || lines[0].Blobs != nil || lines[2].Text != "own" {
		t.Errorf("%+v", lines)
	}
	if l.Blobs != nil || len(l.Unreadable) != 1 {
		t.Errorf("%d blobs, %+v", len(l.Blobs), l.Unreadable)
	}
	read, err := Read(l)
	if err != nil || read[0].Unreadable != 1 || read[0].Lines != 2 {
		t.Errorf("%+v, %v", read, err)
	}
}

// What claims to be huge is not unpacked.
func TestUnpackBomb(t *testing.T) {
	huge := binary.LittleEndian.AppendUint64(nil, 1<<40)
	if _, err := unpackLZ4(append(huge, 0)); err == nil {
		t.Error("a terabyte of lz4")
	}
	x := packed(t, "MESSAGE=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")[1].Data
	if !smallXZ(x) {
		t.Fatal("a plain one is refused")
	}
	dictionary := bytes.IndexByte(x[12:], 0x21) + 14
	x[dictionary] = 40 // 4 GiB - 1
	if smallXZ(x) {
		t.Error("a dictionary of 4 GiB")
	}
}

// TestManyPatterns: a log without any pattern in it is bounded.
func TestManyPatterns(t *testing.T) {
	s := report.LogSource{Name: report.LogKernel}
	for i := range maxGroups + 500 {
		s.Lines = append(s.Lines, report.LogLine{At: 1, Text: strings.Repeat("z", i%50+1) + strings.Repeat(" y", i/50)})
	}
	read, err := Read(&report.Logs{Until: 60e6, Sources: []report.LogSource{s}})
	if err != nil || len(read[0].Groups) > maxGroups+1 {
		t.Fatalf("%d groups, %v", len(read[0].Groups), err)
	}
	sum := 0
	for _, g := range read[0].Groups {
		sum += g.Count
	}
	if sum != maxGroups+500 {
		t.Errorf("%d lines", sum)
	}
}

func FuzzRead(f *testing.F) {
	for _, b := range packed(f, "MESSAGE="+strings.Repeat("abc ", 100)) {
		f.Add(`E1122 06:35:55.123456 326 a.go:1] "M" err="a \"b\""`, int64(1), int64(1795329356), b.Compression, b.Data)
	}
	f.Add(`Nov 22 06:35:56 n kubelet[1]: time="2026-11-22T06:35:56Z" level=error msg="a" error="b"`, int64(0), int64(-1), "", []byte{})
	f.Add(`time="2026-11-22 06:35:56" level=info msg="E1122 06:35:55.1 1 a.go:1] \"M\" err=\"a\"" component=kubelet`, int64(1), int64(1795329356), "", []byte{})
	f.Add(`<27>1 2026-11-22T06:35:56Z n k 1 - [a b="\]"] {"level":"dpanic","ts":"2026-11-22T06:35:56.000+0100","msg":"m","error":"\\"}`, int64(1), int64(0), "", []byte{})
	f.Add(`level=info msg="a "b" c=" d="e\\" f`, int64(1), int64(1), "", []byte{})
	f.Add(`{"ts":1e300,"msg":"a","err":"b"}`, int64(-5), int64(1)<<62, "zstd", []byte{0x28, 0xb5, 0x2f, 0xfd})
	f.Fuzz(func(t *testing.T, line string, at, written int64, compression string, data []byte) {
		l := &report.Logs{Since: at - 1, Until: at + 60e6, Blobs: []report.LogBlob{{Compression: compression, Data: data}},
			Sources: []report.LogSource{{Written: written, Lines: []report.LogLine{{At: at, Text: line}, {Text: line}, {Blobs: []int{0, -1, 9}}}}}}
		read, _ := Read(l)
		for _, g := range read[0].Groups {
			if len(g.Pattern) > maxPattern || len(g.Example) > maxKept {
				t.Errorf("%d bytes of pattern, %d of example", len(g.Pattern), len(g.Example))
			}
		}
	})
}
