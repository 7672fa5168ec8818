package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
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
}

func newOutputFlags() *outputFlags {
	return &outputFlags{format: "table", color: "auto",
		json:     genericclioptions.NewJSONYamlPrintFlags(),
		template: genericclioptions.NewKubeTemplatePrintFlags(),
		name:     genericclioptions.NewNamePrintFlags("")}
}

func (f *outputFlags) add(c *cobra.Command) {
	c.Flags().StringVarP(&f.format, "output", "o", f.format, "Output format: "+strings.Join(f.formats(), "|"))
	c.Flags().StringVar(&f.color, "color", f.color, "Colour: auto (on a terminal, unless NO_COLOR is set), always, never")
	f.template.AddFlags(c)
	must(c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(f.formats(), cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("color", cobra.FixedCompletions([]string{"auto", "always", "never"}, cobra.ShellCompDirectiveNoFileComp)))
}

// must is for errors that only a mistake in this program can cause.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (f *outputFlags) formats() []string {
	formats := []string{"table", "wide"}
	formats = append(formats, f.json.AllowedFormats()...)
	formats = append(formats, f.name.AllowedFormats()...)
	return slices.Compact(append(formats, f.template.AllowedFormats()...))
}

func (f *outputFlags) validate() error {
	if !slices.Contains([]string{"auto", "always", "never"}, f.color) {
		return fmt.Errorf("--color is auto, always or never, not %q", f.color)
	}
	if f.human() {
		return nil
	}
	_, err := f.printer()
	return err
}

// human says whether a person reads the output.
func (f *outputFlags) human() bool {
	return f.format == "table" || f.format == "wide" || f.format == ""
}

// printer is the one of cli-runtime's for a format that a program reads.
func (f *outputFlags) printer() (printers.ResourcePrinter, error) {
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
	if _, off := os.LookupEnv("NO_COLOR"); f.color == "auto" && !off && os.Getenv("TERM") != "dumb" {
		s.Color = true
	}
	return s
}

// print writes an answer in a format that a program reads: doc as an object of
// this kind, or with -o name the owners in it.
func (f *outputFlags) print(out io.Writer, kind string, doc any, owners []correlate.Owner) error {
	p, err := f.printer()
	if err != nil {
		return err
	}
	if f.format == "name" {
		return printNames(out, p, owners)
	}
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
	if err := json.Unmarshal(data, &object.Object); err != nil {
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
