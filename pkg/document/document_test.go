package document

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// hostile are names that somebody gives to a pod, a command or a path.
var hostile = []string{
	`<script>alert(1)</script>`, `</script><script>alert(2)</script>`, `"><img src=x onerror=alert(3)>`, `' onmouseover='alert(4)`,
	`</style><svg onload=alert(5)>`, `javascript:alert(6)`, "a\u202egnp.exe", "line\nbreak\r\n# heading", "`code` **bold** _em_ ~~gone~~", "a|b|c\\|d",
	`[link](http://evil.example/?x)`, `![i](//evil.example/i.png)`, `@everyone #123 GH-7 :smile: $x^2$`, "```\nfence\n```", `&lt;b&gt; <!-- c -->`, `]]><![CDATA[`, `{{.Policy}}`,
	"\x1b]0;title\a", "bad\xff\xfeutf8", strings.Repeat("x", 5000), `https://evil.example www.evil.example a@evil.example`, "", " ", "- list", "1. list", "===", "---", "\\",
}

// documentOf has a text everywhere that one can be.
func documentOf(text string) Document {
	at := time.Unix(1_700_000_000, 0)
	line := func(name string) Series {
		return Series{Name: name, Points: []Point{{At: at, Value: 1}, {At: at.Add(time.Minute), Value: 7, Gap: true}, {At: at.Add(time.Hour), Value: 3}}}
	}
	table := &Table{Columns: []Column{{text, Number}, {text, Text}}, Rest: text}
	for i := range 12 {
		table.Rows = append(table.Rows, []string{fmt.Sprint(i), text})
	}
	finding := Finding{ID: text, Severity: Critical, Mark: text, Summary: text, Evidence: []string{text}, CausedBy: []string{text}, Remedy: []Step{{text, text}, {text, ""}}}
	section := Section{Title: text, Time: &at, Summary: text, Findings: []Finding{finding}, Parts: []Part{
		{Title: text, Bars: &Bars{[]Bar{{text, 2, text}, {text, 1, text}}}},
		{Title: text, Chart: &Chart{Max: 8, Series: []Series{line(text), line(text)}, Marks: []Mark{{at, text}}}},
		{Title: text, Table: table}, {Title: text, Lines: []Line{{text, text, text}, {"", text, ""}}}}}
	return Document{Title: text, Version: text, Sections: []Section{section, section}}
}

func htmlOf(t testing.TB, d Document) string {
	t.Helper()
	var b strings.Builder
	if err := HTML(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAmount(t *testing.T) {
	for text, want := range map[string]float64{
		"1,234": 1234, "~64": 64, "12.5%": 12.5, "<1% of 9": 1, "1.2 GiB": 1.2 * (1 << 30), "+3.0 MiB/s": 3 << 20, "-0.3/s": -0.3, "0/s": 0,
		"4m12s": 252, "3d ago": 3 * 86400, "≥ 1.2s": 1.2, "95% of 1,024": 95, "2y10d": 2*365*86400 + 10*86400, "26,522 → 214": 26522, "300 B": 300,
		"-1.0 KiB": -1024, "+12 %": 12, "7h": 25200, "5s": 5,
	} {
		if got, ok := Amount(text); !ok || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "moments", "-", "years", "?", "…", "none"} {
		if got, ok := Amount(text); ok {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func TestShorten(t *testing.T) {
	for text, want := range map[string]string{"abcdefgh": "abcdefgh", "abcdefghi": "abcde…", "ääääää": "ää…"} {
		if got := shorten(text, 8); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
