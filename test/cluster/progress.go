package main

import (
	"fmt"
	"io"
	"time"
)

// progress tells the user what has been done, and how many seconds after the start.
type progress struct {
	out   io.Writer
	start time.Time
}

func newProgress(out io.Writer) progress {
	return progress{out: out, start: time.Now()}
}

func (p progress) say(format string, args ...any) {
	// One write, so that lines of concurrent work stay whole.
	fmt.Fprintf(p.out, "%6.1fs  %s\n", time.Since(p.start).Seconds(), fmt.Sprintf(format, args...))
}
