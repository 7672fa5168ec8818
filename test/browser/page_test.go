package browser

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// One browser for all, as its start takes longest.
func TestPages(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	b := newBrowser(t)
	file := save(t, hostileReport(server.URL))
	calm := hostileReport(server.URL)
	calm.Node.Now += 3600
	calm.OpenFiles.Samples = calm.OpenFiles.Samples[:1]
	calm.OpenFiles.Samples[0].Allocated = 5000
	addresses := map[string]string{
		"fd":      pageOf(t, "fd", "--from", file),
		"checkup": pageOf(t, "checkup", "--from", file),
		"diff":    pageOf(t, "diff", file, save(t, calm)),
	}
	for name, address := range addresses {
		t.Run("inert/"+name, func(t *testing.T) { inert(t, b.open(t, address), name) })
		t.Run("phone/"+name, func(t *testing.T) { phone(t, b, address, name) })
		t.Run("print/"+name, func(t *testing.T) { prints(t, b.open(t, address)) })
		t.Run("without script/"+name, func(t *testing.T) { withoutScript(t, b, address) })
	}
	t.Run("policy", func(t *testing.T) { policy(t, b.open(t, addresses["fd"]), server.URL) })
	t.Run("sort", func(t *testing.T) { sorts(t, b.open(t, addresses["fd"])) })
	t.Run("filter", func(t *testing.T) { filters(t, b.open(t, addresses["fd"])) })
	t.Run("dark", func(t *testing.T) { dark(t, b, addresses["fd"]) })
	if n := asked.Load(); n > 0 {
		t.Errorf("the pages asked a server outside %d times", n)
	}
}

// inert: names are text, whatever they look like, and our own script runs.
func inert(t *testing.T, b *tab, name string) {
	const ours = `html,head,meta,title,style,body,header,h1,h2,h3,nav,main,section,article,div,p,b,span,bdi,ul,ol,li,pre,code,dl,dt,dd,
		table,thead,tbody,tr,th,td,button,input,svg,rect,line,path,figure,figcaption,footer,script,a`
	foreign := eval[[]string](t, b, `[...document.querySelectorAll("*")].filter(e => !"`+strings.Join(strings.Fields(ours), "")+`".split(",").includes(e.localName)).map(e => e.outerHTML)`)
	acting := eval[[]string](t, b, `[...document.querySelectorAll("*")].flatMap(e => [...e.attributes].filter(a => a.name.startsWith("on") || a.name === "style" || a.name === "src" ||
		a.name === "href" && !a.value.startsWith("#")).map(a => e.localName + " " + a.name + "=" + a.value))`)
	if len(foreign)+len(acting) > 0 {
		t.Errorf("elements %q, attributes %q", foreign, acting)
	}
	if n := eval[int](t, b, `document.scripts.length + document.styleSheets.length`); n != 2 {
		t.Errorf("%d scripts and styles", n)
	}
	if buttons := eval[int](t, b, `document.querySelectorAll("th button").length`); buttons == 0 {
		t.Error("our own script has not run")
	}
	if text := eval[string](t, b, `document.body.textContent`); strings.ContainsAny(text, "\u202e\u2066\x1b\u009b") || name == "fd" && !strings.Contains(text, `<script>alert(1)<`) {
		t.Error("names are not told as they are")
	}
	// What a hand does with a mouse.
	b.run(t, chromedp.Evaluate(`document.querySelectorAll("td, li, h1, h3, code").forEach(e => { e.dispatchEvent(new MouseEvent("mouseover", {bubbles: true})); e.click(); })`, nil))
	b.mustBeQuiet(t)
	b.shoot(t, name+"-1200")
}

// policy: were a name markup after all, the browser would refuse it.
func policy(t *testing.T, b *tab, outside string) {
	refused := eval[[]string](t, b, `new Promise(done => {
		const refused = [];
		document.addEventListener("securitypolicyviolation", e => { refused.push(e.effectiveDirective); if (refused.length === 5) done(refused); });
		document.body.insertAdjacentHTML("beforeend", '<img src="`+outside+`/policy" onerror="alert(10)"><p style="color: red">x</p>');
		const s = document.createElement("script"); s.textContent = "alert(11)"; document.body.append(s);
		fetch("`+outside+`/fetch").catch(() => {});
	})`)
	slices.Sort(refused)
	if want := []string{"connect-src", "img-src", "script-src-attr", "script-src-elem", "style-src-attr"}; !slices.Equal(refused, want) {
		t.Errorf("refused %q, want %q", refused, want)
	}
	for _, what := range b.did {
		if strings.HasPrefix(what, "dialog") {
			t.Error(what)
		}
	}
}

const firstTable = `[...document.querySelector("table.long").tBodies[0].rows]`

// sorts by the value of a column, not by its text.
func sorts(t *testing.T, b *tab) {
	column := func(n int) []float64 {
		return eval[[]float64](t, b, firstTable+`.map(r => Number(r.cells[`+string(rune('0'+n))+`].dataset.v))`)
	}
	before := column(0)
	click := func(title string) {
		b.run(t, chromedp.Evaluate(`[...document.querySelectorAll("table.long th button")].find(e => e.textContent === "`+title+`").click()`, nil))
	}
	click("FDS")
	if got := column(0); !slices.IsSortedFunc(got, func(a, b float64) int { return int(b - a) }) || len(got) != len(before) {
		t.Errorf("descending: %v", got)
	}
	click("FDS")
	if got := column(0); !slices.IsSorted(got) {
		t.Errorf("ascending: %v", got)
	}
	if order := eval[string](t, b, `document.querySelector("th[aria-sort]").getAttribute("aria-sort")`); order != "ascending" {
		t.Errorf("aria-sort is %s", order)
	}
	click("OWNER")
	names := eval[[]string](t, b, firstTable+`.map(r => r.cells[3].textContent)`)
	if i := slices.Index(names, "usual-00.service"); i < 0 || names[i+1] != "usual-01.service" {
		t.Errorf("by name: %q", names)
	}
	b.mustBeQuiet(t)
}

// filters by words, in any order and case; a long table is shown in part before.
func filters(t *testing.T, b *tab) {
	visible := func() int { return eval[int](t, b, firstTable+`.filter(r => r.offsetHeight > 0).length`) }
	if n := visible(); n != 25 {
		t.Errorf("%d rows at first", n)
	}
	b.run(t, chromedp.SendKeys(".filter", "SERVICE usual-0", chromedp.ByQuery))
	if n := visible(); n != 10 {
		t.Errorf("%d rows match", n)
	}
	b.run(t, chromedp.SendKeys(".filter", " <script>", chromedp.ByQuery))
	if n := visible(); n != 0 {
		t.Errorf("%d rows match what none has", n)
	}
	b.run(t, chromedp.Evaluate(`document.querySelector(".filter").select()`, nil), chromedp.SendKeys(".filter", kb.Backspace, chromedp.ByQuery))
	b.run(t, chromedp.Click(".shown-of button", chromedp.ByQuery))
	if n := visible(); n != 42 {
		t.Errorf("%d rows of 42 when all are asked for", n)
	}
	b.mustBeQuiet(t)
}

// phone: the culprit is on the first screen, and nothing makes the page wider than it.
func phone(t *testing.T, b *browser, address, name string) {
	o := b.open(t, address, chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, chromedp.EmulateScale(2)))
	if width := eval[float64](t, o, `Math.max(document.documentElement.scrollWidth, visualViewport.width)`); width > 360 {
		wide := eval[[]string](t, o, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > 361 && !e.closest(".scroll")).map(e => e.outerHTML.slice(0, 200))`)
		t.Errorf("the page is %v wide by %q", width, wide)
	}
	if top := eval[float64](t, o, `document.querySelector(".finding h3").getBoundingClientRect().top`); top > 600 {
		t.Errorf("the first finding is at %v of 740", top)
	}
	if right := eval[float64](t, o, `Math.max(0, ...[...document.querySelectorAll(".finding *")].map(e => e.getBoundingClientRect().right))`); right > 360 {
		t.Errorf("a finding reaches to %v of 360", right)
	}
	o.mustBeQuiet(t)
	o.shoot(t, name+"-360")
}

// prints: pages come, and what only a screen needs is not on them.
func prints(t *testing.T, b *tab) {
	var pdf []byte
	b.run(t, chromedp.ActionFunc(func(ctx context.Context) (err error) {
		pdf, _, err = page.PrintToPDF().WithPrintBackground(true).WithPaperWidth(8.27).WithPaperHeight(11.69).Do(ctx)
		return err
	}))
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) || !bytes.Contains(pdf, []byte("/Type /Page")) {
		t.Errorf("%d bytes, no PDF: %.20q", len(pdf), pdf)
	}
	b.run(t, emulation.SetEmulatedMedia().WithMedia("print"), chromedp.EmulateViewport(680, 960))
	if shown := eval[int](t, b, `[...document.querySelectorAll(".filter, .shown-of button, nav")].filter(e => e.offsetHeight > 0).length`); shown > 0 {
		t.Errorf("%d things that only a screen needs", shown)
	}
	if clipped := eval[int](t, b, `[...document.querySelectorAll(".scroll")].filter(e => getComputedStyle(e).overflowX !== "visible").length`); clipped > 0 {
		t.Errorf("%d tables are cut off", clipped)
	}
	b.mustBeQuiet(t)
}

// withoutScript all is there, and nothing that would not work.
func withoutScript(t *testing.T, b *browser, address string) {
	o := b.open(t, address, emulation.SetScriptExecutionDisabled(true))
	if n := eval[int](t, o, `document.querySelectorAll("button, input").length`); n > 0 {
		t.Errorf("%d controls without a script", n)
	}
	hidden := eval[int](t, o, `[...document.querySelectorAll("tr, .finding, .bars li")].filter(e => e.offsetHeight === 0).length`)
	if rows := eval[int](t, o, `document.querySelectorAll("tbody tr").length`); rows == 0 || hidden > 0 {
		t.Errorf("%d rows, %d parts are hidden", rows, hidden)
	}
	o.mustBeQuiet(t)
}

// dark: the browser's choice is followed.
func dark(t *testing.T, b *browser, address string) {
	scheme := func(value string) chromedp.Action {
		return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}})
	}
	light := eval[string](t, b.open(t, address, scheme("light")), `getComputedStyle(document.body).backgroundColor`)
	o := b.open(t, address, scheme("dark"))
	if dark := eval[string](t, o, `getComputedStyle(document.body).backgroundColor`); light != "rgb(255, 255, 255)" || dark == light {
		t.Errorf("light %s, dark %s", light, dark)
	}
	o.shoot(t, "fd-dark")
}
