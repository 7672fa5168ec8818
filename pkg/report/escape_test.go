package report

import (
	"testing"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"plain":                   {"/usr/bin/java -Xmx1g", "/usr/bin/java -Xmx1g"},
		"umlaut and CJK stay":     {"größe 日本", "größe 日本"},
		"newline, ESC, BEL":       {"a\nb\x1b]0;x\a", `a\x0ab\x1b]0;x\x07`},
		"DEL":                     {"\x7f", `\x7f`},
		"C1 CSI as UTF-8":         {"\u009b31m", `\u009b31m`},
		"bidi override":           {"a\u202etxt.exe", `a\u202etxt.exe`},
		"tag characters":          {"\U000e0041", `\U000e0041`},
		"not UTF-8":               {"a\xff\x9bz", `a\xff\x9bz`},
		"systemd's escape stays":  {`dev-disk-by\x2duuid`, `dev-disk-by\x2duuid`},
		"looks like our escape":   {`a\x1b`, `a\x5cx1b`},
		"looks like our backlash": {`\x5c`, `\x5cx5c`},
		"windows path stays":      {`C:\temp`, `C:\temp`},
	} {
		t.Run(name, func(t *testing.T) {
			got := Escape(c.in)
			if got != c.want {
				t.Errorf("Escape(%q) = %q, want %q", c.in, got, c.want)
			}
			if back := Unescape(got); back != c.in {
				t.Errorf("unescape(%q) = %q, want %q", got, back, c.in)
			}
			if again := Clean(got); again != got {
				t.Errorf("Clean(%q) = %q: an escaped text must stay", got, again)
			}
		})
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "a\\x1b", "\\\\x5c", "\u202e", "\xff\\", `\u202`, "\ufffd", `\U00010ffff`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := Escape(s)
		if !utf8.ValidString(e) {
			t.Fatalf("Escape(%q) = %q is not UTF-8", s, e)
		}
		for _, r := range e {
			if unsafeRune(r) {
				t.Fatalf("Escape(%q) = %q holds %U", s, e, r)
			}
		}
		if back := Unescape(e); back != s {
			t.Fatalf("Unescape(Escape(%q)) = %q", s, back)
		}
		if c := Clean(e); c != e {
			t.Fatalf("Clean(%q) = %q", e, c)
		}
	})
}
