package printer

import (
	"bytes"
	"os"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// theRule is one with everything that a page may have; its first threshold is changed.
func theRule(t *testing.T) (diagnose.Rule, diagnose.Thresholds) {
	t.Helper()
	r, err := diagnose.FindRule("pipes-user-limit")
	if err != nil {
		t.Fatal(err)
	}
	r.Title = "a user has many pipes"
	r.Page = diagnose.Page{
		Means:    "Above the limit a new pipe has 2 pages: what writes more at once than the other end has read waits, and a runtime hangs so for ever.",
		Computed: []string{"Pages of all pipes of a user: {warning} or more are a finding.", "The capacity is asked for by F_GETPIPE_SZ."},
		Source:   []string{"pipe(7): /proc/sys/fs/pipe-user-pages-soft"},
		Do:       []string{"See who makes so many pipes.", "Raise fs.pipe-user-pages-soft: it helps *pipes* that are made from then on, and only these, whoever makes them."},
		Fooled:   []string{"Who has CAP_SYS_ADMIN is above it."},
	}
	limits, err := diagnose.Thresholds{}.With("pipes-user-limit.warning", "60%")
	if err != nil {
		t.Fatal(err)
	}
	return r, limits
}

func TestRule(t *testing.T) {
	r, limits := theRule(t)
	show := func(t *testing.T, limits diagnose.Thresholds, s Style) string {
		t.Helper()
		var b bytes.Buffer
		if err := Rule(&b, r, limits, s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	golden(t, "rule", func(t *testing.T, s Style) string { return show(t, diagnose.Thresholds{}, s) })
	golden(t, "rule-changed", func(t *testing.T, s Style) string { return show(t, limits, s) })
}

func TestRuleList(t *testing.T) {
	rules := diagnose.Rules()
	golden(t, "rule-list", func(t *testing.T, s Style) string {
		var b bytes.Buffer
		if err := RuleList(&b, append(rules[:3:3], rules[len(rules)-1]), s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	})
}

func TestRuleAsMarkdown(t *testing.T) {
	r, limits := theRule(t)
	var b bytes.Buffer
	if err := RulesMarkdown(&b, []diagnose.Rule{r}, limits); err != nil {
		t.Fatal(err)
	}
	const want = `## pipes-user-limit

A user has many pipes.

**What it means**

Above the limit a new pipe has 2 pages: what writes more at once than the other end has read waits, and a runtime hangs so for ever.

**How it is computed**

Pages of all pipes of a user: 60 % (by default 80 %) or more are a finding.

The capacity is asked for by F\_GETPIPE\_SZ.

| threshold | value | bounds | means |
| --- | --- | --- | --- |
| ` + "`pipes-user-limit.warning`" + ` | 60%, by default 80% | 1% to 100% | of fs.pipe-user-pages-soft in use: a finding |

**Sources**

- pipe(7): /proc/sys/fs/pipe-user-pages-soft

**What to do**

- See who makes so many pipes.
- Raise fs.pipe-user-pages-soft: it helps \*pipes\* that are made from then on, and only these, whoever makes them.

**What may fool it**

- Who has CAP\_SYS\_ADMIN is above it.
`
	if got := b.String(); got != want {
		t.Errorf("%s", firstDifference(got, want))
	}
}

// docs/rules.md is what the rules say; make docs writes it anew.
func TestRulesDocumentIsOfTheseRules(t *testing.T) {
	const path = "../../docs/rules.md"
	var b bytes.Buffer
	if err := RulesMarkdown(&b, diagnose.Rules(), diagnose.Thresholds{}); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("docs/rules.md is stale (make docs writes it anew):\n%s", firstDifference(got, string(want)))
	}
}
