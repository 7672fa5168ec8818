package document

import (
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"golang.org/x/net/html"
)

func markdownOf(t testing.TB, d Document) string {
	t.Helper()
	var b strings.Builder
	if err := Markdown(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// rendered is what a GFM renderer makes of it, and the text outside of code, where
// chats look for mentions.
func rendered(t testing.TB, markdown string) (elements []string, text string) {
	t.Helper()
	var b strings.Builder
	if err := goldmark.New(goldmark.WithExtensions(extension.GFM)).Convert([]byte(markdown), &b); err != nil {
		t.Fatal(err)
	}
	inCode := 0
	for z := html.NewTokenizer(strings.NewReader(b.String())); ; {
		switch z.Next() {
		case html.ErrorToken:
			return elements, text
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			if token.Data == "code" {
				inCode++
				continue
			}
			elements = append(elements, token.Data)
		case html.EndTagToken:
			if z.Token().Data == "code" {
				inCode--
			}
		case html.CommentToken:
			elements = append(elements, "comment")
		case html.TextToken:
			if inCode == 0 {
				text += z.Token().Data
			}
		}
	}
}

// Whatever the names are, there is no markup but our own, and nothing that pages
// anybody.
func checkPlain(t testing.TB, text string) {
	t.Helper()
	markdown := markdownOf(t, documentOf(text))
	elements, said := rendered(t, markdown)
	for _, e := range elements {
		if !slices.Contains([]string{"h2", "h3", "h4", "p", "strong", "ul", "li", "pre", "table", "thead", "tbody", "tr", "th", "td"}, e) {
			t.Fatalf("%q became <%s>:\n%s", text, e, markdown)
		}
	}
	if strings.ContainsAny(said, "@#<>`|") {
		t.Fatalf("%q is told outside of code: %q", text, said)
	}
	if cells, rows := countOf(elements, "td"), countOf(elements, "tr"); cells != 2*(rows-2) || rows != 2*(1+markdownRows) {
		t.Fatalf("%q: %d cells in %d rows:\n%s", text, cells, rows, markdown)
	}
}

func countOf(list []string, what string) int {
	n := 0
	for _, e := range list {
		if e == what {
			n++
		}
	}
	return n
}

func TestHostileNamesInMarkdown(t *testing.T) {
	for _, text := range hostile {
		checkPlain(t, text)
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkPlain(t, text) })
}

func TestInline(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		"prod/hub-0 has 4,201 (12.5 %)": "prod/hub-0 has 4,201 (12.5 %)",
		"java_main and _x_":             "java_main and `_x_`",
		"a <b> c|d e":                   "a `<b> c|d` e",
		"a`b":                           "``a`b``",
		"`":                             "`` ` ``",
		"see http://x/ or www.x.y":      "see `http://x/` or `www.x.y`",
		"@all 12:30:01, :smile: a:b:c":  "`@all` 12:30:01, `:smile: a:b:c`",
		"1. x":                          "`1.` x",
		"x 1. - y":                      "x 1. - y",
		"commit 0a1b2c3 or 1234567":     "commit `0a1b2c3` or 1234567",
	} {
		if got := inline(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestPipesInCells(t *testing.T) {
	for text, want := range map[string]string{"a | b": "a `\\|` b", `a\|b`: "`a\\ \\|b`", strings.Repeat("y", 100): strings.Repeat("y", 77) + "…"} {
		if got := cell(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestFence(t *testing.T) {
	if got, want := fenced("a\n```\nb", "  "), "  ````\n  a\n  ```\n  b\n  ````"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
