// striplines takes the file names and line numbers out of a Go program, in
// place: an eighth of a packed probe. A crash still names its functions, and how
// far into each it was; from the same build with its lines these are found.
package main

import (
	"debug/elf"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: striplines PROGRAM")
		os.Exit(2)
	}
	if err := stripFile(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "striplines: failed to strip %q: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

func stripFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0) //nolint:gosec // the program that the Makefile names
	if err != nil {
		return err
	}
	defer f.Close()
	program, err := elf.NewFile(f)
	if err != nil {
		return err
	}
	section := program.Section(".gopclntab")
	if section == nil {
		return fmt.Errorf("no Go program: it has no section .gopclntab")
	}
	table, err := section.Data()
	if err != nil {
		return err
	}
	if err := stripLines(table, program.ByteOrder); err != nil {
		return err
	}
	if _, err := f.WriteAt(table, int64(section.Offset)); err != nil {
		return err
	}
	return f.Close()
}
