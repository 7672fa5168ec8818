// Package browser opens the pages of -o html in a real browser, headless, with
// hostile names in them.
package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// program is the plugin as `make build` leaves it.
const program = "../../dist/kubectl-nodedoc"

// patience bounds a step of the browser that never comes about.
const patience = time.Minute

// browserPath is a Chromium: without one there is nothing to test, which is a failure.
func browserPath() (string, error) {
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no Chromium found: install one (apt-get install chromium), or name it in CHROMIUM")
}

// pageOf writes a page by the plugin, as a user would, and returns its address.
func pageOf(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.Command(program, append(args, "-o", "html")...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%q: %v (make build makes the plugin)", args, err)
	}
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

// tab is a page in the browser, and what it did that it must not.
type tab struct {
	ctx context.Context
	mu  sync.Mutex
	did []string
}

func (b *tab) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.did = append(b.did, fmt.Sprintf(format, args...))
}

// watch notes dialogs, errors, and requests for anything but the page itself.
func (b *tab) watch(address string) {
	chromedp.ListenTarget(b.ctx, func(event any) {
		switch e := event.(type) {
		case *page.EventJavascriptDialogOpening:
			b.note("dialog: %s", e.Message)
			go func() { _ = chromedp.Run(b.ctx, page.HandleJavaScriptDialog(false)) }()
		case *network.EventRequestWillBeSent:
			if url, _, _ := strings.Cut(e.Request.URL, "#"); url != address {
				b.note("request: %s", e.Request.URL)
			}
		case *runtime.EventExceptionThrown:
			b.note("exception: %s", e.ExceptionDetails.Text)
		case *cdplog.EventEntryAdded:
			b.note("log: %s", e.Entry.Text)
		}
	})
}

// open opens an address in a tab of its own, after some actions.
func (b *browser) open(t *testing.T, address string, before ...chromedp.Action) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	ctx, stop := context.WithTimeout(ctx, patience)
	t.Cleanup(stop)
	o := &tab{ctx: ctx}
	o.watch(address)
	o.run(t, append(append([]chromedp.Action{network.Enable(), page.Enable(), cdplog.Enable(), runtime.Enable()}, before...), chromedp.Navigate(address), chromedp.WaitReady("footer"))...)
	return o
}

func (b *tab) run(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// eval is the value of an expression in the page.
func eval[T any](t *testing.T, b *tab, expression string) T {
	t.Helper()
	var value T
	b.run(t, chromedp.Evaluate(expression, &value, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return value
}

func (b *tab) mustBeQuiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, what := range b.did {
		t.Errorf("the page did what it must not: %s", what)
	}
}

// shoot keeps a picture for whoever wants to look.
func (b *tab) shoot(t *testing.T, name string) {
	t.Helper()
	var png []byte
	b.run(t, chromedp.FullScreenshot(&png, 100))
	dir := "../../dist/browser"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

type browser struct{ ctx context.Context }

// newBrowser starts one for a test. As root, as in CI, Chromium has no sandbox: the
// pages are our own.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := browserPath()
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(1200, 1600), chromedp.Flag("hide-scrollbars", true), chromedp.WSURLReadTimeout(patience))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("%s does not start: %v", path, err)
	}
	return &browser{ctx: ctx}
}
