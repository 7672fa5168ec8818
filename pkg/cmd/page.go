package cmd

import (
	"errors"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
)

// Formats of a page that goes to somebody else: into a ticket, into a chat.
const (
	formatHTML     = "html"
	formatMarkdown = "markdown"
)

// page says whether -o asks for one.
func (f *outputFlags) page() bool { return f.format == formatHTML || f.format == formatMarkdown }

// validatePage refuses to fill a terminal with markup, before anything is asked.
func (f *outputFlags) validatePage() error {
	if file, ok := f.out().(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return errors.New("-o html is a page for a browser: write it to a file, by adding > node.html; -o markdown can be read here")
	}
	return nil
}

// human prints an answer for a person: text or a page. In a page all rows stand unless
// --top was given: those of HTML can be filtered, of Markdown only the first are told.
type human struct {
	top      int
	topGiven bool
	text     func(io.Writer, printer.Style) error
	page     func(printer.Style) (document.Document, error)
}

func (f *outputFlags) show(out io.Writer, version string, h human) error {
	style := f.style(out)
	style.Top = h.top
	if !f.page() {
		return h.text(out, style)
	}
	style = printer.Style{Wide: f.format == formatHTML}
	if h.topGiven {
		style.Top = h.top
	}
	d, err := h.page(style)
	if err != nil {
		return err
	}
	d.Version = version
	if f.format == formatMarkdown {
		return document.Markdown(out, d)
	}
	return document.HTML(out, d)
}
