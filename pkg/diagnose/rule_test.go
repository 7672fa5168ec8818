package diagnose

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	ruleID      = regexp.MustCompile(`^[a-z]+(-[a-z]+)+$`)
	placeholder = regexp.MustCompile(`\{[^}]*\}`)
)

func TestEveryRuleHasItsPage(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rules() {
		if !ruleID.MatchString(r.ID) || seen[r.ID] {
			t.Errorf("ID %q is odd, or twice there", r.ID)
		}
		seen[r.ID] = true
		if r.Title == "" || len(r.Title) > 75 || strings.HasSuffix(r.Title, ".") {
			t.Errorf("%s: title %q (%d bytes)", r.ID, r.Title, len(r.Title))
		}
		for name, part := range map[string][]string{"means": {r.Means}, "computed": r.Computed, "source": r.Source, "do": r.Do, "fooled": r.Fooled} {
			if len(part) == 0 {
				t.Errorf("%s: nothing of %s", r.ID, name)
			}
			for _, text := range part {
				if len(text) < 20 || strings.Contains(text, "%!") || strings.Contains(text, "  ") || strings.TrimSpace(text) != text {
					t.Errorf("%s: %s is %q", r.ID, name, text)
				}
			}
		}
	}
}

// A page names every threshold of its rule, and no other.
func TestPagesNameTheirThresholds(t *testing.T) {
	for _, r := range Rules() {
		left := map[string]bool{}
		for _, of := range r.Thresholds {
			name, ok := strings.CutPrefix(of.Name, r.ID+".")
			if !ok || left["{"+name+"}"] {
				t.Errorf("%s: threshold %q is another's, or twice there", r.ID, of.Name)
			}
			left["{"+name+"}"] = true
			if again, err := of.Unit.Parse(of.Unit.Format(of.Default)); err != nil || again != of.Default || of.Default < of.Min || of.Default > of.Max || of.Means == "" {
				t.Errorf("%+v: its default is read as %v, %v", of, again, err)
			}
		}
		all := left
		for _, text := range slices.Concat([]string{r.Means}, r.Computed, r.Source, r.Do, r.Fooled) {
			for _, name := range placeholder.FindAllString(text, -1) {
				if _, known := all[name]; !known {
					t.Errorf("%s: no threshold %s", r.ID, name)
				}
				left[name] = false
			}
		}
		for name, missing := range left {
			if missing {
				t.Errorf("%s: its page does not say %s", r.ID, name)
			}
		}
		page := r.InForce(Thresholds{})
		for _, text := range slices.Concat([]string{page.Means}, page.Computed) {
			if placeholder.MatchString(text) {
				t.Errorf("%s: left in the page: %q", r.ID, text)
			}
		}
	}
}

// A function that gives a rule or a threshold, and is in no list, would be silent.
func TestNoRuleAndNoThresholdIsForgotten(t *testing.T) {
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Type.Params.NumFields() == 0 && f.Type.Results.NumFields() == 1 {
				if result, ok := f.Type.Results.List[0].Type.(*ast.Ident); ok {
					count[result.Name]++
				}
			}
		}
	}
	// The two inotify rules share functions, which take the rule.
	const shared = 4
	if got, want := count["Rule"], len(Rules()); got != want {
		t.Errorf("%d functions give a rule, %d rules are listed", got, want)
	}
	if got, want := count["Threshold"]+shared, len(AllThresholds()); got != want {
		t.Errorf("%d functions give a threshold, %d are listed", got, want)
	}
}
