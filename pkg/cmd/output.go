package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// outputFlags are -o and --color.
type outputFlags struct {
	format   string
	color    string
	json     *genericclioptions.JSONYamlPrintFlags
	template *genericclioptions.KubeTemplatePrintFlags
	name     *genericclioptions.NamePrintFlags
	made     printers.ResourcePrinter // see printer
	out      func() io.Writer
}

func newOutputFlags() *outputFlags {
	return &outputFlags{format: "table", color: "auto",
		json:     genericclioptions.NewJSONYamlPrintFlags(),
		template: genericclioptions.NewKubeTemplatePrintFlags(),
		name:     genericclioptions.NewNamePrintFlags("")}
}

func (f *outputFlags) add(c *cobra.Command) {
	f.out = c.OutOrStdout
	c.Flags().StringVarP(&f.format, "output", "o", f.format, "Output format: "+strings.Join(f.formats(), "|"))
	addColor(c, &f.color)
	f.template.AddFlags(c)
	must(c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(f.formats(), cobra.ShellCompDirectiveNoFileComp)))
}

func colors() []string { return []string{"auto", "always", "never"} }

func addColor(c *cobra.Command, color *string) {
	c.Flags().StringVar(color, "color", "auto", "Colour: auto (on a terminal, unless NO_COLOR is set), always, never")
	must(c.RegisterFlagCompletionFunc("color", cobra.FixedCompletions(colors(), cobra.ShellCompDirectiveNoFileComp)))
}

func validColor(color string) error {
	if !slices.Contains(colors(), color) {
		return fmt.Errorf("--color is auto, always or never, not %q", color)
	}
	return nil
}

// must is for errors that only a mistake in this program can cause.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (f *outputFlags) formats() []string {
	formats := []string{"table", "wide", formatHTML, formatMarkdown}
	formats = append(formats, f.json.AllowedFormats()...)
	formats = append(formats, f.name.AllowedFormats()...)
	return slices.Compact(append(formats, f.template.AllowedFormats()...))
}

func (f *outputFlags) validate() error {
	if err := validColor(f.color); err != nil {
		return err
	}
	if f.format == formatHTML {
		return f.validatePage()
	}
	if f.human() {
		return nil
	}
	_, err := f.printer()
	return err
}

// human says whether a person reads the output.
func (f *outputFlags) human() bool {
	return f.format == "table" || f.format == "wide" || f.format == "" || f.page()
}

// printer is the one of cli-runtime's for a format that a program reads. It is
// made once: YAML's separates one object from the next.
func (f *outputFlags) printer() (printers.ResourcePrinter, error) {
	var err error
	if f.made == nil {
		f.made, err = f.newPrinter()
	}
	return f.made, err
}

func (f *outputFlags) newPrinter() (printers.ResourcePrinter, error) {
	if p, err := f.json.ToPrinter(f.format); !genericclioptions.IsNoCompatiblePrinterError(err) {
		return p, err
	}
	if p, err := f.name.ToPrinter(f.format); !genericclioptions.IsNoCompatiblePrinterError(err) {
		return p, err
	}
	if p, err := f.template.ToPrinter(f.format); !genericclioptions.IsNoCompatiblePrinterError(err) {
		return p, err
	}
	return nil, fmt.Errorf("output format %q is not known: use one of %s", f.format, strings.Join(f.formats(), ", "))
}

// style is how a person sees it: colour and width follow the terminal.
func (f *outputFlags) style(out io.Writer) printer.Style {
	s := printer.Style{Wide: f.format == "wide", Color: f.color == "always"}
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return s
	}
	if width, _, err := term.GetSize(int(file.Fd())); err == nil {
		s.Width = width
	}
	if f.color == "auto" && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" {
		s.Color = true
	}
	return s
}

// maxIndented: two thirds of a long answer in JSON would be blanks. Of 6,385 leaked
// volumes it has 39 MB indented, and 14 without.
const maxIndented = 1 << 20 // bytes

// print writes an answer in a format that a program reads: doc as an object of
// this kind, or with -o name the owners in it.
func (f *outputFlags) print(out io.Writer, kind string, doc any, owners []correlate.Owner) error {
	p, err := f.printer()
	if err != nil {
		return err
	}
	// Some of cli-runtime's printers swallow a failed write, others wrap it in a
	// dump of the whole object.
	var text bytes.Buffer
	if f.format == "name" {
		err = printNames(&text, p, owners)
	} else {
		err = printObject(&text, p, kind, doc)
	}
	if err != nil {
		return err
	}
	if f.format == "json" && text.Len() > maxIndented {
		var dense bytes.Buffer
		if err := json.Compact(&dense, text.Bytes()); err != nil {
			return err
		}
		dense.WriteByte('\n')
		text = dense
	}
	_, err = text.WriteTo(out)
	return err
}

// unlessReaderLeft drops the error of writing to a reader that has left
// (| head -1): it wants no more.
func unlessReaderLeft(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

func printObject(out io.Writer, p printers.ResourcePrinter, kind string, doc any) error {
	object, err := toObject(kind, doc)
	if err != nil {
		return err
	}
	return p.PrintObj(object, out)
}

// toObject makes a Kubernetes object of an answer, which is what cli-runtime's
// printers take.
func toObject(kind string, doc any) (*unstructured.Unstructured, error) {
	data, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("failed to encode the answer: %w", err)
	}
	object := &unstructured.Unstructured{}
	// Whole numbers must not become floats: JSONPath would print a pid as 3.663411e+06.
	if err := kubejson.Unmarshal(data, &object.Object); err != nil {
		return nil, fmt.Errorf("failed to encode the answer: %w", err)
	}
	object.SetAPIVersion(report.APIVersion)
	object.SetKind(kind)
	return object, nil
}

// printNames prints each owner once, as kubectl's -o name does.
func printNames(out io.Writer, p printers.ResourcePrinter, owners []correlate.Owner) error {
	printed := map[string]bool{}
	for _, o := range owners {
		object := &unstructured.Unstructured{Object: map[string]any{}}
		object.SetAPIVersion(report.APIVersion)
		object.SetKind(string(o.Type))
		object.SetName(o.Name())
		// What kubectl knows is named as kubectl names it.
		switch kind, name, _ := strings.Cut(o.Workload, "/"); {
		case o.Type == correlate.OwnerPod && o.Pod != "":
			object.SetAPIVersion("v1")
			object.SetNamespace(o.Namespace)
			object.SetName(o.Pod)
		case o.Type == correlate.OwnerPod: // nobody knows its name any more
			object.SetName(o.PodUID)
		case o.Type == correlate.OwnerCgroup && o.Command == "":
			object.SetName(o.Cgroup)
		case o.Type == correlate.OwnerWorkload:
			object.SetAPIVersion("v1")
			object.SetNamespace(o.Namespace)
			object.SetKind(kind)
			object.SetName(name)
		}
		key := object.GetKind() + "/" + object.GetNamespace() + "/" + object.GetName()
		if printed[key] {
			continue
		}
		printed[key] = true
		if err := p.PrintObj(object, out); err != nil {
			return err
		}
	}
	return nil
}
