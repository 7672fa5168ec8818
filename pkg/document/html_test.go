package document

import (
	"html/template"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// shape is a page's elements in their order, and what of its text or attributes
// could act: handlers, links to elsewhere, styles.
func shape(t testing.TB, page string) (elements, acting []string) {
	t.Helper()
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			return elements, acting
		}
		token := z.Token()
		if kind == html.CommentToken || kind == html.DoctypeToken && token.Data != "html" {
			acting = append(acting, token.String())
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		elements = append(elements, token.Data)
		for _, a := range token.Attr {
			loads := slices.Contains([]string{"href", "src", "action", "srcset", "data", "formaction", "xlink:href", "poster", "background"}, a.Key)
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || loads && !strings.HasPrefix(a.Val, "#") {
				acting = append(acting, token.String())
			}
		}
	}
}

// inert checks that whatever the names are, the page is the same but for its text.
type inert struct {
	template *template.Template
	// with and without a name; a page is made of the template, which is read once.
	named, unnamed []string
}

func newInert(t testing.TB) inert {
	t.Helper()
	made, err := pageTemplate()
	if err != nil {
		t.Fatal(err)
	}
	i := inert{template: made}
	i.named, _ = shape(t, i.page(t, "x"))
	i.unnamed, _ = shape(t, i.page(t, ""))
	return i
}

func (i inert) page(t testing.TB, text string) string {
	t.Helper()
	var b strings.Builder
	if err := writePage(&b, i.template, documentOf(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func (i inert) check(t testing.TB, text string) {
	t.Helper()
	page := i.page(t, text)
	elements, acting := shape(t, page)
	if len(acting) > 0 {
		t.Fatalf("%q acts: %q", text, acting)
	}
	want := i.named
	if safe(text) == "" {
		want = i.unnamed
	}
	if !slices.Equal(elements, want) {
		t.Fatalf("%q changes the page's elements", text)
	}
	if strings.ContainsAny(page, "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2028\x1b\x00") {
		t.Fatalf("%q: the page has controls in it", text)
	}
}

func TestHostileNamesInHTML(t *testing.T) {
	i := newInert(t)
	for _, text := range hostile {
		i.check(t, text)
	}
}

func FuzzHTML(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	i := newInert(f)
	f.Fuzz(func(t *testing.T, text string) { i.check(t, text) })
}

// The policy names style and script by what stands in the page, byte for byte.
func TestPolicyIsOfThePage(t *testing.T) {
	page := htmlOf(t, documentOf("x"))
	for _, want := range []string{"<style>" + pageStyle + "</style>", "<script>" + pageScript + "</script>",
		`<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %.80q", want)
		}
	}
	if strings.Contains(page, "unsafe") || strings.Contains(page, "http://") || strings.Contains(page, "https://") {
		t.Error("the page names something outside")
	}
}

func TestChartsThatCannotBeDrawn(t *testing.T) {
	at := time.Unix(0, 0)
	for name, points := range map[string][]Point{
		"none": nil, "one": {{At: at, Value: 3}}, "all at once": {{At: at, Value: 3}, {At: at, Value: 4}}, "nothing": {{At: at}, {At: at.Add(1)}},
		"no number": {{At: at, Value: math.NaN()}, {At: at.Add(1), Value: math.Inf(1)}},
	} {
		if v := viewChart(Chart{Series: []Series{{Points: points}}}); v != nil {
			t.Errorf("%s: got %+v", name, v)
		}
	}
	s := scale{from: at, to: at.Add(10), most: 10}
	got := s.path([]Point{{At: at, Value: 10}, {At: at.Add(2), Value: math.NaN()}, {At: at.Add(5), Value: 5}, {At: at.Add(8), Gap: true}, {At: at.Add(10), Value: 20}})
	if want := "M0.0 0.0M500.0 120.0M800.0 240.0L1000.0 0.0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A limit far above would press the line flat: it is drawn where it is near.
func TestLimitOfChart(t *testing.T) {
	at := time.Unix(0, 0)
	c := Chart{Max: 100, Unit: "bytes", Series: []Series{{Points: []Point{{At: at, Value: 90}, {At: at.Add(time.Hour), Value: 50}}}}}
	if v := viewChart(c); v.Limit == "" || v.LimitText != "100 B" || v.Begin != "00:00" || v.End != "01:00 UTC" {
		t.Errorf("got %+v", v)
	}
	c.Max = 1000
	if v := viewChart(c); v.Limit != "" || v.Top != "90 B" {
		t.Errorf("got %+v", v)
	}
}

func TestBarsThatCannotBeDrawn(t *testing.T) {
	if v := viewBars([]Bar{{"a", math.NaN(), ""}, {"b", -1, ""}, {"c", math.Inf(1), ""}, {"d", 0, ""}}); v != nil {
		t.Errorf("got %+v", v)
	}
	if v := viewBars([]Bar{{"a", 8, ""}, {"b", 2, ""}}); len(v) != 2 || v[0].Width != "100.00%" || v[1].Width != "25.00%" {
		t.Errorf("got %+v", v)
	}
}
