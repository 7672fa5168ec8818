package report

import "testing"

func TestExpandUnit(t *testing.T) {
	const name = `back\x2dup-a@srv-my\x2ddata.timer`
	for text, want := range map[string]string{
		"plain":          "plain",
		"%n of %N":       name + ` of back\x2dup-a@srv-my\x2ddata`,
		"%p@%i.service":  `back\x2dup-a@srv-my\x2ddata.service`,
		"/%I by %P":      "/srv/my-data by back-up/a",
		"100%% of %H, %": "100% of %H, %",
	} {
		if got := ExpandUnit(text, name); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	if got := ExpandUnit("%I%n", `a@\x1b.b`); got != `\x1ba@\x1b.b` {
		t.Errorf("an escape came back: %q", got)
	}
	if got := ExpandUnit("%p %i", "noname"); got != " " {
		t.Errorf("got %q", got)
	}
}

func FuzzExpandUnit(f *testing.F) {
	f.Add("%I%%%P%", `a\x2d-b@\x1b.service`)
	f.Fuzz(func(t *testing.T, text, name string) {
		if got := ExpandUnit(Clean(text), Clean(name)); got != Clean(got) {
			t.Fatalf("not clean: %q", got)
		}
	})
}
