package cmd

import (
	"strings"
	"testing"
)

func TestPagesSayWhoAndWhatToDo(t *testing.T) {
	path := save(t, sickNode(), hubInventory())
	for format, wants := range map[string][]string{
		formatHTML:     {"<!DOCTYPE html>", "<title>File descriptors of node-43</title>", "prod/hub-0", `evil\x1b]0;owned\x07\u202e`, "v0.0.0-test"},
		formatMarkdown: {"## File descriptors of node-43\n", "prod/hub-0", "| ---: |", "v0.0.0-test"},
	} {
		stdout, stderr, code := run(t, "fd", "--from", path, "-o", format, "--by", "process")
		if stderr != "" || code != ExitOK {
			t.Errorf("%s: %q, exit %d", format, stderr, code)
		}
		for _, want := range wants {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s lacks %q:\n%s", format, want, stdout)
			}
		}
	}
}

func TestPagesAreOfOneSample(t *testing.T) {
	for _, format := range []string{formatHTML, formatMarkdown} {
		_, stderr, code := run(t, "fd", "n", "--watch", "-o", format)
		if want := "error: -o " + format + " is one page: --samples and --watch do not go with it; record and history show a node over time\n"; stderr != want || code != ExitFailed {
			t.Errorf("got %q, exit %d", stderr, code)
		}
	}
}
