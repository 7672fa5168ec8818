package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// build builds a program that collects garbage, recovers from a panic, and dies
// of one.
func build(t *testing.T, arch string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "crash")
	c := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "testdata/crash.go")
	c.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0", "GOARCH="+arch)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

func table(t *testing.T, program string) []byte {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := f.Section(".gopclntab").Data()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCrashStillNamesFunctions: stacks are walked as before, by the garbage
// collector too, and only files and lines are gone from what a crash prints.
func TestCrashStillNamesFunctions(t *testing.T) {
	program := build(t, runtime.GOARCH)
	run := func() string {
		c := exec.Command(program)
		c.Env = append(os.Environ(), "GOGC=1")
		out, err := c.CombinedOutput()
		if err == nil {
			t.Fatalf("did not crash: %s", out)
		}
		return string(out)
	}
	before := run()
	if err := stripFile(program); err != nil {
		t.Fatal(err)
	}
	after := run()
	lines := regexp.MustCompile(`\t\S+:\d+ \+0x`)
	numbers := regexp.MustCompile(`pc=0x[0-9a-f]+|0x[0-9a-f]{8,}`)
	same := func(s string) string { return numbers.ReplaceAllString(lines.ReplaceAllString(s, "\t?:0 +0x"), "N") }
	if same(before) != same(after) {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if !strings.Contains(after, "main.crash(") || strings.Contains(after, "crash.go") || !strings.Contains(after, "recovered:") {
		t.Errorf("stripped, it prints:\n%s", after)
	}
}

func TestStripOfAnotherArchitecture(t *testing.T) {
	program := build(t, "arm64")
	before := table(t, program)
	if err := stripFile(program); err != nil {
		t.Fatal(err)
	}
	once := table(t, program)
	if len(once) != len(before) || bytes.Count(once, []byte{0}) < bytes.Count(before, []byte{0})+len(before)/8 {
		t.Error("hardly anything was zeroed")
	}
	if err := stripFile(program); err != nil || !bytes.Equal(table(t, program), once) {
		t.Errorf("a second time changes something, or fails: %v", err)
	}
}

// TestUnknownTable: another release of Go may lay it out otherwise; then the
// build fails, and no broken program comes of it.
func TestUnknownTable(t *testing.T) {
	good := table(t, build(t, "amd64"))
	for name, spoil := range map[string]func([]byte) []byte{
		"short":              func(b []byte) []byte { return b[:headerSize-1] },
		"cut":                func(b []byte) []byte { return b[:len(b)/2] },
		"another magic":      func(b []byte) []byte { b[0]++; return b },
		"32 bits":            func(b []byte) []byte { b[7] = 4; return b },
		"too many functions": func(b []byte) []byte { binary.LittleEndian.PutUint64(b[8:], 1<<40); return b },
		"parts out of order": func(b []byte) []byte { binary.LittleEndian.PutUint64(b[8*5:], 1); return b },
		"no functions":       func(b []byte) []byte { binary.LittleEndian.PutUint64(b[8:], 0); return b },
		"functions of one word more": func(b []byte) []byte {
			f := functions(b)
			for i := range binary.LittleEndian.Uint64(b[8:]) {
				binary.LittleEndian.PutUint32(f[8*i+4:], binary.LittleEndian.Uint32(f[8*i+4:])+4)
			}
			return b
		},
		"a function far away": func(b []byte) []byte { copy(b[len(b)-len(functions(b)):][4:], "\xff\xff\xff\xff"); return b },
	} {
		if err := stripLines(spoil(bytes.Clone(good)), binary.LittleEndian); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	notELF := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(notELF, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := stripFile(notELF); err == nil {
		t.Error("a shell script: no error")
	}
}

func functions(b []byte) []byte {
	t, err := parse(b, binary.LittleEndian)
	if err != nil {
		return nil
	}
	return t.functions
}
